"""Whether a container's words start a script, so that arguments added to them never reach its server."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

_SHELLS = frozenset(
    {
        "sh", "bash", "rbash", "dash", "ash", "zsh", "ksh", "ksh93", "mksh", "pdksh", "yash", "fish", "csh",
        "tcsh", "nu", "pwsh", "powershell", "xonsh", "posh", "osh", "hush", "elvish", "eval", "su", "ssh",
        "watch", "script", "tmux", "screen",
    }
)  # fmt: skip
# What starts programs that a file of its own names, never the words behind it.
_STARTERS = frozenset(
    {
        "make", "gmake", "just", "npm", "pnpm", "yarn", "supervisord", "circusd", "honcho", "foreman",
        "overmind", "hivemind", "pm2", "pm2-runtime", "runsvdir", "runit", "s6-svscan", "s6-overlay-suexec",
        "systemd",
    }
)  # fmt: skip
# What runs the program that is named after it.
_WRAPPERS = frozenset(
    {
        "env", "tini", "tini-static", "dumb-init", "catatonit", "init", "busybox", "toybox",
        "nice", "ionice", "chrt", "taskset", "numactl", "exec", "command", "timeout", "time", "nohup",
        "setsid", "stdbuf", "unbuffer", "sudo", "doas", "gosu", "su-exec", "runuser", "setpriv", "capsh",
        "chroot", "chpst", "unshare", "nsenter", "flock", "xargs", "parallel", "strace", "ltrace", "prlimit",
        "firejail", "proxychains", "proxychains4", "with-contenv", "uv", "pipenv", "poetry", "conda",
        "mamba", "micromamba",
    }
)  # fmt: skip


@dataclass(frozen=True)
class _Options:
    """An interpreter's one-letter options by what follows them; all others stand for themselves.

    `values` have theirs in the same word or in the next, `attached` in the same word or none. What follows
    `programs` is a module or a file, and the rest is for that. `long_values` have theirs in the next word.
    """

    scripts: str = ""
    values: str = ""
    attached: str = ""
    programs: str = ""
    long_values: frozenset[str] = frozenset()


class _Next(Enum):
    """What comes after a word of options."""

    SCRIPT = auto()
    PROGRAM = auto()
    VALUE = auto()
    OPTION = auto()


_NO_OPTIONS = _Options()
_PYTHON = _Options("c", "WX", programs="m", long_values=frozenset({"--check-hash-based-pycs"}))
_NODE = _Options(
    "ep",
    "rC",
    long_values=frozenset(
        {
            "--require", "--import", "--loader", "--experimental-loader", "--conditions", "--env-file",
            "--env-file-if-exists", "--input-type", "--title", "--icu-data-dir", "--openssl-config",
            "--redirect-warnings", "--unhandled-rejections", "--disable-warning", "--watch-path",
        }
    ),
)  # fmt: skip
_RUBY = _Options(
    "e",
    "CXEIr",
    attached="FiKxWT",
    long_values=frozenset(
        {
            "--encoding", "--external-encoding", "--internal-encoding", "--enable", "--disable", "--parser",
            "--backtrace-limit",
        }
    ),
)  # fmt: skip
_PHP = _Options(
    "rRBE",
    "cdStz",
    programs="fF",
    long_values=frozenset(
        {"--define", "--php-ini", "--server", "--docroot", "--zend-extension"},
    ),
)
_INTERPRETERS: Mapping[str, _Options] = {
    "python": _PYTHON,
    "ipython": _PYTHON,
    "pypy": _PYTHON,
    "perl": _Options("eE", "I", attached="mMFiDCxV"),
    "ruby": _RUBY,
    "node": _NODE,
    "nodejs": _NODE,
    "tsx": _NODE,
    "ts-node": _Options("ep", "rPOCID", long_values=frozenset({"--require", "--project"})),
    "bun": _Options("ep", "rdlF", long_values=frozenset({"--preload", "--require", "--import", "--cwd"})),
    "deno": _NO_OPTIONS,
    "php": _PHP,
    "lua": _Options("e", "l"),
    "luajit": _Options("e", "lj"),
    "R": _Options("e", "gd", programs="f"),
    "Rscript": _Options("e"),
    "julia": _Options("eE", "ptJLCH", programs="m"),
    "tclsh": _NO_OPTIONS,
    "expect": _NO_OPTIONS,
    "awk": _NO_OPTIONS,
    "gawk": _NO_OPTIONS,
    "mawk": _NO_OPTIONS,
}
_ALWAYS_SCRIPTS = frozenset({"awk", "gawk", "mawk", "tclsh", "expect"})
_LONG_INLINE = frozenset(
    {"--eval", "--print", "eval", "--run", "--process-begin", "--process-code", "--process-end"}
)
_SUDO_WITH_VALUE = frozenset("ugphCTDRrt")
_OPTION_WITH_SCRIPT = re.compile(r"-[A-Za-z]*c")
_VERSION = re.compile(r"-?[0-9.]+t?$")
_SPLIT_OPTION = re.compile(r"-[A-Za-z]*S|--split-string=")


def starts_script(command: Sequence[str], arguments: Sequence[str]) -> bool:
    """Say whether `command` and `arguments` of a container hold a shell, or a script for an interpreter.

    Programs that only run another one (`env`, `tini`, `timeout`) are looked through, and so is an image's own
    entry point: it may run what it is given.
    """
    words = (*command, *arguments)
    wrapped = any(_name(word) in _WRAPPERS for word in words)
    if not command and _takes_script(arguments):  # an entry point that is a shell itself
        return True
    words = tuple(_split(words)) if wrapped else words
    return any(_is_script(words, place, wrapped=wrapped) for place in range(len(words)))


def _is_script(words: Sequence[str], place: int, *, wrapped: bool) -> bool:
    name, rest = _name(words[place]), words[place + 1 :]
    if name in _STARTERS and (place == 0 or (wrapped and not _is_value(words, place))):
        return True
    if name in _SHELLS or _VERSION.sub("", name) in _SHELLS:
        return wrapped or _takes_script(rest) or not _is_value(words, place)
    if name in {"sudo", "doas"} and _starts_login(rest):
        return True
    if wrapped and _OPTION_WITH_SCRIPT.fullmatch(words[place]) and rest:
        return " " in rest[0]
    interpreter = name if name in _INTERPRETERS else _VERSION.sub("", name)
    if interpreter not in _INTERPRETERS or (not wrapped and _is_value(words, place)):
        return False
    return interpreter in _ALWAYS_SCRIPTS or _has_inline(rest, _INTERPRETERS[interpreter])


def _takes_script(words: Sequence[str]) -> bool:
    """Whether a shell's option comes first; a number after it is a server's."""
    option = _OPTION_WITH_SCRIPT.fullmatch(words[0]) if words else None
    return option is not None and not (len(words) > 1 and words[1].lstrip("-").isdigit())


def _is_value(words: Sequence[str], place: int) -> bool:
    before = words[place - 1] if place else ""
    return before.startswith("-") and before != "--" and "=" not in before


def _has_inline(words: Sequence[str], options: _Options) -> bool:
    """Whether a script comes among an interpreter's own options: those before a file or a module."""
    left = iter(words)
    for word in left:
        if word == "-" or word.partition("=")[0] in _LONG_INLINE:
            return True
        if word == "--" or not word.startswith("-"):
            return False
        match _next(word, options):
            case _Next.SCRIPT:
                return True
            case _Next.PROGRAM:
                return False
            case _Next.VALUE:
                next(left, None)
    return False


def _next(word: str, options: _Options) -> _Next:
    """What comes after a word of options, whose letters may stand together: `-Ic` is `-I -c`."""
    if word.startswith("--"):
        return _Next.VALUE if word in options.long_values else _Next.OPTION
    for place, letter in enumerate(word):
        if letter in options.scripts:
            return _Next.SCRIPT
        if letter in options.programs:
            return _Next.PROGRAM
        if letter in options.values and place == len(word) - 1:
            return _Next.VALUE
        if letter in options.values or letter in options.attached or letter in ":=":
            return _Next.OPTION  # the rest of the word is its value
    return _Next.OPTION


def _starts_login(words: Sequence[str]) -> bool:
    """Whether sudo's own options ask for a shell."""
    left = iter(words)
    for option in left:
        if not option.startswith("-"):
            return False
        if option in {"--shell", "--login"} or (not option.startswith("--") and {"s", "i"} & set(option)):
            return True
        if not option.startswith("--") and option[-1] in _SUDO_WITH_VALUE:
            next(left, None)
    return False


def _split(words: Sequence[str]) -> Iterator[str]:
    """Give the words, and after one with words of its own (as in `env -S`) these."""
    for word in words:
        yield word
        if _SPLIT_OPTION.match(word):
            yield from (part.strip("\"'") for part in _SPLIT_OPTION.sub("", word, count=1).split())
        elif " " in word and not word.startswith("--") and "{" not in word:
            yield from word.split()


def _name(word: str) -> str:
    """The program that a word names, without its folder or assigned option."""
    return word.strip().rpartition("/")[2].removesuffix(".exe")
