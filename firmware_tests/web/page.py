"""Reads the page's HTML as a browser would: elements with their attributes and text."""

from collections.abc import Iterator
from html.parser import HTMLParser

_VOID = {"meta", "link", "input", "br", "img", "hr"}


class Element:
    """An element; `inside` has its elements and texts in their order."""

    def __init__(self, name: str, attributes: dict[str, str]):
        self.name = name
        self.attributes = attributes
        self.inside: list[Element | str] = []

    @property
    def text(self) -> str:
        """All text in it, with single blanks, as a line break is one."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        if self.name == "br":
            yield " "
        for each in self.inside:
            if isinstance(each, str):
                yield each
            else:
                yield from each._texts()

    def all(self, tag: str, **attributes: str) -> list["Element"]:
        """All elements of a kind with these attributes in it; `class_` is one of its classes."""
        return [each for each in self._elements() if each.matches(tag, attributes)]

    def one(self, tag: str, **attributes: str) -> "Element":
        """The only such element."""
        (found,) = self.all(tag, **attributes)
        return found

    def matches(self, tag: str, attributes: dict[str, str]) -> bool:
        classes = self.attributes.get("class", "").split()
        return self.name == tag and all(
            value in classes if key == "class_" else self.attributes.get(key) == value
            for key, value in attributes.items()
        )

    def fields(self) -> dict[str, str]:
        """What a form sends as it stands; of several with one name the last."""
        sent = {}
        for each in self.all("input"):
            if each.attributes.get("type") in ("checkbox", "radio") and (
                "checked" not in each.attributes
            ):
                continue
            sent[each.attributes["name"]] = each.attributes.get("value", "")
        for each in self.all("textarea"):
            # The parser drops a line break right after the tag.
            sent[each.attributes["name"]] = "".join(each._texts()).removeprefix("\n")
        for each in self.all("select"):
            options = each.all("option")
            chosen = [option for option in options if "selected" in option.attributes]
            sent[each.attributes["name"]] = (chosen or options)[0].attributes["value"]
        return sent

    def _elements(self) -> Iterator["Element"]:
        for each in self.inside:
            if not isinstance(each, str):
                yield each
                yield from each._elements()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("document", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(made)
        if tag not in _VOID:
            self.open.append(made)

    def handle_endtag(self, tag: str) -> None:
        # Every element that has an end is written with it, and in order.
        if tag not in _VOID:
            ended = self.open.pop()
            assert ended.name == tag, f"</{tag}> ends <{ended.name}>"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def read(html: str) -> Element:
    """The document; every element must be ended as it was begun."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    open_ = [each.name for each in reader.open[1:]]
    assert open_ in ([], ["html"]), f"not ended: {open_}"
    return reader.open[0]
