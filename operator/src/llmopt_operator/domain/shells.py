"""Whether a container's words start a script, so that arguments added to them never reach its server."""

import re
from collections.abc import Iterator, Mapping, Sequence

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
# The letters of each interpreter's options that are followed by a script.
_INLINE: Mapping[str, str] = {
    "python": "c", "ipython": "c", "pypy": "c", "perl": "eE", "ruby": "e", "node": "ep", "nodejs": "ep",
    "bun": "ep", "tsx": "e", "ts-node": "e", "deno": "", "php": "rR", "lua": "e", "luajit": "e", "R": "e",
    "Rscript": "e", "julia": "eE", "tclsh": "", "expect": "c", "awk": "", "gawk": "", "mawk": "",
}  # fmt: skip
_ALWAYS_SCRIPTS = frozenset({"awk", "gawk", "mawk", "tclsh", "expect"})
_LONG_INLINE = frozenset({"--eval", "--print", "eval"})
_WITH_VALUE = frozenset({"-X", "-W", "-I", "-r", "--require", "-d"})
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
    interpreter = name if name in _INLINE else _VERSION.sub("", name)
    if interpreter not in _INLINE or (not wrapped and _is_value(words, place)):
        return False
    return interpreter in _ALWAYS_SCRIPTS or _has_inline(rest, _INLINE[interpreter])


def _takes_script(words: Sequence[str]) -> bool:
    """Whether a shell's option comes first; a number after it is a server's."""
    option = _OPTION_WITH_SCRIPT.fullmatch(words[0]) if words else None
    return option is not None and not (len(words) > 1 and words[1].lstrip("-").isdigit())


def _is_value(words: Sequence[str], place: int) -> bool:
    before = words[place - 1] if place else ""
    return before.startswith("-") and before != "--" and "=" not in before


def _has_inline(options: Sequence[str], letters: str) -> bool:
    """Whether a script comes among an interpreter's own options: those before a file or a module."""
    left = iter(options)
    for option in left:
        if option in _LONG_INLINE or option.partition("=")[0] in _LONG_INLINE or option == "-":
            return True
        if not option.startswith("-") or option.startswith("-m"):
            return False
        if option in _WITH_VALUE:
            next(left, None)
        elif not option.startswith("--") and any(letter in option for letter in letters):
            return True
    return False


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
    """Give the words, and after one with blanks (as in `env -S`) its own words."""
    for word in words:
        yield word
        said = _SPLIT_OPTION.sub("", word, count=1) if _SPLIT_OPTION.match(word) else word
        if " " in said and not said.startswith("--") and "{" not in said:
            yield from said.split()


def _name(word: str) -> str:
    """The program that a word names, without its folder or assigned option."""
    return word.strip().rpartition("/")[2].removesuffix(".exe")
