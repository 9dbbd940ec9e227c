from pathlib import Path, PurePath

from adapters.catalog_file import toml
from application.catalog.ports import CatalogFiles
from application.catalog.source import CatalogUnreadable, Document

SAMPLE = Path(__file__).with_name("sample.toml")
_LARGEST = 8 * 1024 * 1024  # bytes


class TomlCatalogFiles(CatalogFiles):
    def read(self, file: PurePath) -> Document:
        try:
            with Path(file).open("rb") as stream:
                content = stream.read(_LARGEST + 1)
            if len(content) > _LARGEST:
                raise CatalogUnreadable(str(file), f"is larger than {_LARGEST} bytes")
            return toml.read(content.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise CatalogUnreadable(str(file), f"is not UTF-8, as TOML must be: see line {line}") from error
        except OSError as error:
            raise CatalogUnreadable(str(file), (error.strerror or str(error)).lower()) from error
        except ValueError as error:  # a NUL in the file's name
            raise CatalogUnreadable(str(file), str(error)) from error
