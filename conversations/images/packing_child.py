"""The child process of packing: a PNG comes on stdin, its packed file goes to stdout, or nothing."""

import os
import sys

from conversations.child_process import be_ended_first, give_up_rights
from conversations.images.packed_pictures import packed

MEMORY_BYTES = 1536 * 2**20  # of address space; a picture of 40 megapixels takes 1.4 GiB


def main() -> None:
    """Pack one picture."""
    give_up_rights()
    be_ended_first()
    if sys.platform != "win32":
        import resource

        os.nice(19)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.stdout.buffer.write(packed(sys.stdin.buffer.read()) or b"")


if __name__ == "__main__":
    main()
