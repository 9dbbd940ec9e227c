"""What `cuebx mail preview` writes."""

from html import escape
from pathlib import Path

from adapters.mail.rendering import rendered, samples
from domain.identity.mail import Mail


def write_previews(folder: Path) -> Path:
    """A page for each mail, its text beside it, and a page that leads to all of them: that one's path."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, facts in sorted(samples().items()):
        what = rendered(Mail(to="ada@example.org", template=name, facts=facts))
        (folder / f"{name}.html").write_text(what.html, encoding="utf-8")
        (folder / f"{name}.txt").write_text(f"{what.subject}\n\n{what.text}", encoding="utf-8")
        rows.append(
            f'<tr><td><a href="{name}.html">{name}</a></td><td>{escape(what.subject)}</td>'
            f'<td><a href="{name}.txt">text</a></td></tr>'
        )
    index = folder / "index.html"
    page = '<!doctype html><meta charset="utf-8"><title>Mails of CueBX</title><h1>Mails of CueBX</h1>'
    index.write_text(f"{page}<table>{''.join(rows)}</table>\n", encoding="utf-8")
    return index
