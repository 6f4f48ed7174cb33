"""Which layers of a document are hidden as it is opened (ISO 32000-1, 8.11).

Rule: what the default view shows is kept and what it hides is not; after that there are no
layers. Judged for the screen: a layer that only a printer would show is hidden.
"""

from sanitizer.pdf import reading

_DEEPEST = 6
_MOST = 10_000


class Layers:
    """The document's layers; ``any_hidden`` tells whether something is off."""

    def __init__(self, catalog: reading.Source) -> None:
        self.exist = False
        self._off: set[tuple[int, int]] = set()
        properties = reading.dictionary(reading.value_of(catalog, "OCProperties"))
        if properties is None:
            return
        self.exist = True
        default = reading.dictionary(reading.value_of(properties, "D"))
        every = _groups(reading.value_of(properties, "OCGs"))
        if default is None:
            return
        if reading.name(reading.value_of(default, "BaseState")) == b"OFF":
            self._off |= set(every)
        self._off |= set(_groups(reading.value_of(default, "OFF")))
        self._off -= set(_groups(reading.value_of(default, "ON")))
        for usage in reading.items(reading.value_of(default, "AS"))[:_MOST]:
            self._apply(usage)

    def _apply(self, untrusted: object) -> None:
        """Follow what groups say about being viewed, where viewers do so by themselves."""
        usage = reading.dictionary(untrusted)
        if usage is None or reading.name(reading.value_of(usage, "Event")) != b"View":
            return
        for key, group in _groups(reading.value_of(usage, "OCGs")).items():
            told = reading.dictionary(reading.value_of(group, "Usage"))
            view = reading.dictionary(reading.value_of(told, "View")) if told else None
            state = reading.name(reading.value_of(view, "ViewState")) if view else None
            # Not every viewer turns groups on by themselves: what one hides is hidden.
            if state == b"OFF":
                self._off.add(key)

    def hides(self, untrusted: object) -> bool:
        """Tell whether what belongs to a group, or to a rule over groups, is hidden."""
        return not self._is_visible(untrusted, 0)

    def _is_visible(self, untrusted: object, depth: int) -> bool:
        rule = reading.dictionary(untrusted)
        if rule is None or depth > _DEEPEST:
            return True
        if reading.name(reading.value_of(rule, "Type")) != b"OCMD":
            return reading.identity(rule) not in self._off
        expression = reading.items(reading.value_of(rule, "VE"))
        if expression:
            return self._holds(expression, depth + 1)
        told = reading.value_of(rule, "OCGs")
        groups = [told] if reading.dictionary(told) is not None else reading.items(told)
        shown = [self._is_visible(each, depth + 1) for each in groups[:_MOST]]
        if not shown:
            return True
        policy = reading.name(reading.value_of(rule, "P"))
        made = all(shown) if policy in {b"AllOn", b"AnyOff"} else any(shown)
        return not made if policy in {b"AnyOff", b"AllOff"} else made

    def _holds(self, expression: list[object], depth: int) -> bool:
        """Reckon a visibility expression; what is nested too deeply counts as visible."""
        if depth > _DEEPEST:
            return True
        values = [
            self._holds(inner, depth + 1)
            if (inner := reading.items(each))
            else self._is_visible(each, depth + 1)
            for each in expression[1:_MOST]
        ]
        operator = reading.name(expression[0])
        if operator == b"Not":
            return not all(values)
        return all(values) if operator == b"And" else any(values)


def _groups(untrusted: object) -> dict[tuple[int, int], reading.Source]:
    found = {}
    for each in reading.items(untrusted)[:_MOST]:
        group = reading.dictionary(each)
        key = reading.identity(group) if group is not None else None
        if group is not None and key is not None:
            found[key] = group
    return found
