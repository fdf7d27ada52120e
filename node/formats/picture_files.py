"""Foreign picture files: what they may be, how large, and one error for whatever is wrong with them.

The size is known from a file's header before a pixel is unpacked. Animations and collections of pictures are refused: each
further picture costs as much as the first, and nobody can say in which one the code was.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PIL import Image, ImageOps

from federation import limits
from federation.errors import InvalidInput, Oversized

_FILE_FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP")
"""What phones and scanners make; every further decoder is one more thing to attack."""
_STILL_WITH_PREVIEWS: Final = "MPO"
"""A JPEG with further pictures behind the photo, as several phones write it: the photo is taken, the others are not opened."""


def open_picture(raw: bytes) -> Image.Image:
    """Shades of grey on white, the way up that the camera says.

    Raises:
        Oversized: the file, or the picture in it, is larger than `limits` allows; nothing was decoded.
        InvalidInput: it is no JPEG, PNG, WebP or BMP file, it is damaged, or it moves.
    """
    if len(raw) > limits.PICTURE_BYTES_MAX:
        raise _too_large(f"the file has more than {limits.PICTURE_BYTES_MAX // 1_048_576} MiB")
    with _foreign_bytes():
        picture: Image.Image = Image.open(io.BytesIO(raw), formats=_FILE_FORMATS)
    if picture.width * picture.height > limits.PICTURE_PIXELS_MAX:
        raise _too_large(f"the picture has more than {limits.PICTURE_PIXELS_MAX // 1_000_000} million pixels")
    if max(picture.width, picture.height) > limits.PICTURE_SIDE_MAX:
        raise _too_large(f"the picture has a side of more than {limits.PICTURE_SIDE_MAX} pixels")
    if getattr(picture, "is_animated", False) and picture.format != _STILL_WITH_PREVIEWS:
        raise InvalidInput("this file holds several pictures", hint="save the one that shows the code as JPEG or PNG")
    with _foreign_bytes():
        if picture.has_transparency_data:
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
        return ImageOps.exif_transpose(picture).convert("L")


@contextmanager
def _foreign_bytes() -> Iterator[None]:
    """Pillow's decoders have no common error (OSError, SyntaxError, ValueError, struct.error and more); all mean one thing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs, for our own bound is lower, and of damaged notes beside the picture
            yield
    except Image.DecompressionBombError:
        raise _too_large("the picture unpacks to far more than its file") from None
    except Exception as error:
        raise InvalidInput("this file is no picture that can be read", hint="save it as JPEG or PNG") from error


def _too_large(message: str) -> Oversized:
    return Oversized(message, hint="send a smaller picture, or the part of it that shows the code")
