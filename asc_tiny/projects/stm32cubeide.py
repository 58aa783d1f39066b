"""``--project stm32cubeide``: sources for a project of STM32CubeIDE, and its settings."""

from __future__ import annotations

from asc_tiny.boards.catalog import Board
from asc_tiny.projects import network_app, stm32
from asc_tiny.projects.generator import (
    TEMPLATES,
    Application,
    Files,
    GenerationRequest,
    NetworkRequest,
    ProjectGenerator,
)


class Stm32CubeIdeGenerator(ProjectGenerator):
    """Sources for boards with an STM32, with either runtime."""

    name = "stm32cubeide"
    default_board = "disco_l475_iot1"
    templates = TEMPLATES / "stm32cubeide"
    tables = (stm32.TABLE,)
    listening = Application(17 * 1024, 38 * 1024)

    def check(self, board: Board, runtime: str) -> None:
        """Check that the application runs on the board's chip."""
        super().check(board, runtime)
        stm32.check(board)

    def files(self, request: GenerationRequest) -> Files:
        """Return library, application, and the settings of the project as a text."""
        prefix = request.prefix
        sources = stm32.sources(request)
        return {
            **{f"{prefix}/{name}": text for name, text in sources.items()},
            **{f"App/{name}": text for name, text in stm32.application(request).items()},
            "README.md": self.render("README.md.j2", stm32.values(request), prefix),
        }

    def network_files(self, request: NetworkRequest) -> Files:
        """Return the network, an application that checks it, and what the project needs."""
        prefix = request.prefix
        application = stm32.network_application(request)
        values = stm32.network_values(request)
        return {
            **{f"{prefix}/{name}": text for name, text in network_app.sources(request).items()},
            **{f"App/{name}": text for name, text in application.items()},
            "README.md": self.render("network.md.j2", values, prefix),
        }
