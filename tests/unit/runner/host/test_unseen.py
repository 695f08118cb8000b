"""Accelerators that are here and not watched, by a /dev and a /sys that a test makes."""

import pytest

from llmopt_runner.host.unseen import unseen_accelerators


def _make(root, nodes, devices=()):
    for node in nodes:
        path = root / "dev" / node
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for place, vendor, kind in devices:
        folder = root / "sys" / "class" / place / "device"
        folder.mkdir(parents=True)
        (folder / "vendor").write_text(f"{vendor}\n")
        (folder / "class").write_text(f"{kind}\n")


@pytest.mark.parametrize(
    ("nodes", "devices", "found"),
    [
        ((), (), ()),
        (("kfd", "dri/renderD128"), (("drm/renderD128", "0x1002", "0x030000"),), ("AMD GPU",)),
        (("dri/renderD128",), (("drm/renderD128", "0x1002", "0x030000"),), ()),
        (("dri/renderD128",), (("drm/renderD128", "0x8086", "0x038000"),), ("Intel GPU",)),
        (("dri/renderD128",), (("drm/renderD128", "0x8086", "0x030000"),), ()),  # in the processor
        (
            ("accel0", "accel1"),
            (("accel/accel0", "0x1ae0", "0x1"), ("accel/accel1", "0x1ae0", "0x1")),
            ("Google TPU",),
        ),
        (("accel/accel0",), (("accel/accel0", "0x1da3", "0x1"),), ("Intel Gaudi",)),
        (("accel/accel0",), (), ("accelerator of another maker",)),
        (("nvidia0", "nvidiactl"), (), ("NVIDIA GPU without NVML",)),
        (("nvidiactl",), (), ()),
    ],
)
def test_what_is_not_watched_is_named_by_its_maker(tmp_path, nodes, devices, found):
    """A container has the node of a device that it was given; graphics without memory do not count."""
    _make(tmp_path, nodes, devices)
    assert unseen_accelerators(nvidia_seen=False, root=tmp_path) == found


def test_gpus_that_nvml_shows_are_not_reported_again(tmp_path):
    """Other makers' beside them are."""
    _make(tmp_path, ("nvidia0", "kfd"))
    assert unseen_accelerators(nvidia_seen=True, root=tmp_path) == ("AMD GPU",)
