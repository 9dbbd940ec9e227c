from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from application.catalog.features import ReadFeature
from application.catalog.plans import read_plan, read_product
from application.catalog.ports import CatalogFiles, SchemaRules, TemplateRules
from application.catalog.section import Report, Section
from application.catalog.source import CatalogFaulty
from domain.catalog.feature import Feature, settable
from domain.catalog.plan import Plan
from domain.catalog.product import Product
from domain.catalog.publication import Draft


@dataclass(frozen=True, slots=True)
class CheckCatalog:
    """Reads a file, and needs nothing else. Raises CatalogUnreadable, or CatalogFaulty with every fault."""

    files: CatalogFiles
    schemas: SchemaRules
    templates: TemplateRules

    def __call__(self, file: PurePath) -> Draft:
        document = self.files.read(file)
        if document.faults and not document.data:  # no TOML at all: what is missing from it says nothing
            raise CatalogFaulty(str(file), tuple(sorted(document.faults)))
        report = Report(document)
        draft = self._read(Section((), document.data, report))
        if faults := sorted({*document.faults, *report.faults}):
            raise CatalogFaulty(str(file), tuple(faults))
        return draft

    def _read(self, root: Section) -> Draft:
        read_feature = ReadFeature(self.schemas, self.templates)
        features = [read_feature(section) for section in root.entries("features", "feature")]
        _check_aliases(features, root.report)
        known = _defined(root.table.get("features")) | {feature.key: feature for feature in features}
        products: list[Product] = []
        plans: list[Plan] = []
        for section in root.entries("products", "product"):
            plans += [read_plan(each, known) for each in section.entries("plans", "plan")]
            products.append(read_product(section))
        root.close()
        return Draft(products=tuple(products), plans=tuple(plans), features=tuple(features))


def _check_aliases(features: Iterable[Feature], report: Report) -> None:
    """Two aliases that settings would call the same are one model there."""
    first: dict[str, str] = {}
    for feature in features:
        other = first.setdefault(settable(feature.model), feature.model)
        if other != feature.model:
            message = f'settings cannot tell the alias "{feature.model}" from "{other}"'
            report.add(("features", feature.key, "model"), message)


def _defined(features: object) -> dict[str, Feature | None]:
    """By name, so that a plan may name even what is not in order."""
    return dict.fromkeys(features) if isinstance(features, Mapping) else {}
