"""Data Docs in which nothing that was landed can become markup.

Great Expectations puts observed values into its pages unescaped in several places, and
escaped once or twice in others. So its renderers get every text with the characters of
HTML exchanged for stand-ins that mean nothing there, and the finished page gets the
entities for them. Named in the configuration of :mod:`warehouse.quality.judge`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from great_expectations.core import ExpectationSuite
from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResultSchema,
)
from great_expectations.render.renderer.page_renderer import (
    ExpectationSuitePageRenderer,
    ValidationResultsPageRenderer,
)
from great_expectations.render.view.view import DefaultJinjaPageView

from warehouse.quality.offline import self_contained

#: What HTML and the library's ``$name`` templates act on, and a private character for each.
_STAND_INS = {ord(char): chr(0xE000 + place) for place, char in enumerate("<>&\"'$`")}
_ENTITIES = {ord(mark): f"&#{code};" for code, mark in _STAND_INS.items()}


def shielded(value: Any) -> Any:
    """JSON values with stand-ins in every text, keys included."""
    if isinstance(value, str):
        return value.translate(_STAND_INS)
    if isinstance(value, dict):
        return {shielded(key): shielded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [shielded(item) for item in value]
    return value


class ResultPage(ValidationResultsPageRenderer):
    """The page of a suite's result."""

    def render(self, validation_results: Any, suite_parameters: Any = None) -> Any:
        values = shielded(validation_results.to_json_dict())
        safe = ExpectationSuiteValidationResultSchema().load(values)
        return super().render(safe, suite_parameters)

    @classmethod
    def _render_validation_header(cls, validation_results: Any) -> Any:
        """What was judged, and whether that forbids a build: they know a frame without a name,
        and one status for warnings and for what is critical."""
        header = super()._render_validation_header(validation_results)  # type: ignore[no-untyped-call]
        source, _, resource = str(validation_results.suite_name).partition(".")
        header.subheader.string_template["params"] |= {
            "data_asset_name": f"{resource} of the {source}"
            if source == "landing"
            else f"{resource} from {source}",
            "success": status(validation_results.results),
            "html_success_icon": "",
        }
        return header


def status(results: Iterable[Any]) -> str:
    """What a suite's result means, in the words of the first page."""
    unmet = [one.expectation_config.severity for one in results if not one.success]
    critical = sum(str(one) == "critical" for one in unmet)
    if critical:
        return f"{critical} critical not met: no build until they are mended"
    return f"Nothing critical, {len(unmet)} not met" if unmet else "All met"


class SuitePage(ExpectationSuitePageRenderer):
    """The page of a suite."""

    def render(self, expectations: Any) -> Any:
        safe = ExpectationSuite(**shielded(expectations.to_json_dict()))
        return super().render(safe)  # type: ignore[no-untyped-call]


class Page(DefaultJinjaPageView):
    """The finished page: self-contained, with the entities in place of the stand-ins."""

    def render(self, document: Any, template: Any = None, **options: Any) -> str:
        page = str(super().render(document, template, **options))  # type: ignore[no-untyped-call]
        return self_contained(page).translate(_ENTITIES)
