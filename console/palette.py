"""Textual's command palette over our table of actions."""

from textual.command import DiscoveryHit, Hit, Hits, Provider

from console.actions import of_screen


class Actions(Provider):
    """Finds an action of the screen below by its words; choosing it is as pressing its key."""

    @property
    def _actions(self):
        return of_screen(self.screen.letter)  # pyright: ignore[reportAttributeAccessIssue]

    async def discover(self) -> Hits:
        for action in self._actions:
            yield DiscoveryHit(f"{action.name}  {action.shown_key}", self._perform(action.id), help=action.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in self._actions:
            words = f"{action.name}  {action.shown_key}"
            score = max(matcher.match(words), matcher.match(action.help))
            if score > 0:
                yield Hit(score, matcher.highlight(words), self._perform(action.id), help=action.help)

    def _perform(self, action_id: str):
        return lambda: self.screen.perform_id(action_id)  # pyright: ignore[reportAttributeAccessIssue]
