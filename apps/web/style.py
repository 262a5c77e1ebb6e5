"""Looks: the theme of the pages, their style sheet, and colours for light and dark."""

TEAL, TEAL_LIGHT = "#00695c", "#4db6ac"
PLANT, CHOSEN, STILL, CONSUMER = "#00897b", "#e53935", "#9aa5ae", "#607d8b"
CURVES = ("#1e88e5", "#e64a19", "#00897b", "#8e5bb5", "#c58b00", "#d81b60", "#546e7a", "#7cb342")
GREY = "#8a949b"

# The header keeps its colour in the dark, where the lighter teal would outshine the page.
BAR = {"MuiAppBar": {"styleOverrides": {"root": {"backgroundColor": TEAL, "color": "#fff"}}}}
THEME = {
    "light": {
        "palette": {
            "primary": {"main": TEAL},
            "background": {"default": "#f4f6f7", "paper": "#ffffff"},
        },
        "components": BAR,
    },
    "dark": {
        "palette": {
            "primary": {"main": TEAL_LIGHT, "contrastText": "#08201d"},
            "background": {"default": "#14191c", "paper": "#1c2327"},
        },
        "components": BAR,
    },
}

# A pipe under a pulse: two arcs for supply and return.
FAVICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='7' fill='%2300695c'/%3E"
    "%3Cpath d='M6 12h20' stroke='%23ff8a65' stroke-width='4' stroke-linecap='round'/%3E"
    "%3Cpath d='M6 20h20' stroke='%2380cbc4' stroke-width='4' stroke-linecap='round'/%3E%3C/svg%3E"
)

CSS = """
:host { font-family: var(--mui-font-family, Roboto, sans-serif); }
.tv { color: var(--mui-palette-text-primary); font-size: 14px; line-height: 1.45; }
.tv a { color: inherit; }
.tv h1 { font-size: 26px; font-weight: 500; margin: 0 0 4px; letter-spacing: -0.2px; }
.tv h2 { font-size: 16px; font-weight: 500; margin: 0; }
.tv h3 { font-size: 13px; font-weight: 500; margin: 0; opacity: 0.75; }
.tv p { margin: 0; }
.tv .quiet { opacity: 0.72; font-size: 13px; }
.tv .tiles { display: grid; gap: 12px; margin: 0;
  grid-template-columns: repeat(auto-fit, minmax(138px, 1fr)); }
.tv .tile { padding: 10px 14px 11px; border-radius: 10px; min-width: 0;
  background: var(--mui-palette-background-paper);
  border: 1px solid var(--mui-palette-divider); }
.tv .tile dt { font-size: 12.5px; opacity: 0.75; }
.tv .tile dd { margin: 0; }
.tv .tile .value { font-size: 22px; font-weight: 500; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.tv .tile .note { font-size: 12.5px; opacity: 0.72; min-height: 1.45em; }
.tv .state { display: flex; gap: 8px; align-items: flex-start; padding: 8px 14px;
  border-radius: 10px; border: 1px solid; }
.tv .state.busy { border-color: var(--mui-palette-divider); }
.tv .state.fine { display: var(--tv-fine, flex); color: var(--mui-palette-success-main);
  border-color: color-mix(in srgb, currentColor 35%, transparent);
  background: color-mix(in srgb, currentColor 7%, transparent); }
.tv .state.warn { color: var(--mui-palette-warning-main);
  border-color: color-mix(in srgb, currentColor 45%, transparent);
  background: color-mix(in srgb, currentColor 9%, transparent); }
.tv .state.bad { color: var(--mui-palette-error-main);
  border-color: color-mix(in srgb, currentColor 45%, transparent);
  background: color-mix(in srgb, currentColor 8%, transparent); }
.tv .state span { color: var(--mui-palette-text-primary); }
.tv .state b { font-weight: 700; }
.tv .scroll { overflow-x: auto; }
.tv table { border-collapse: collapse; width: 100%; font-size: 13px; }
.tv th { font-weight: 500; text-align: right; opacity: 0.75; }
.tv th, .tv td { padding: 5px 10px; border-bottom: 1px solid var(--mui-palette-divider);
  white-space: nowrap; }
.tv td { text-align: right; font-variant-numeric: tabular-nums; }
.tv th:first-child, .tv td:first-child { text-align: left; padding-left: 0; white-space: normal; }
.tv nav { display: flex; gap: 4px; align-items: center; font-size: 14px; }
.tv nav a { text-decoration: none; padding: 4px 9px; border-radius: 6px; color: inherit; }
.tv nav a:hover, .tv nav a:focus-visible { background: rgba(255, 255, 255, 0.18); }
.tv nav a[aria-current] { font-weight: 700; background: rgba(255, 255, 255, 0.14); }
.tv .keys { display: flex; flex-wrap: wrap; gap: 2px 16px; padding: 4px 0 0; font-size: 13px; }
.tv .keys span { display: inline-flex; gap: 6px; align-items: center; }
.tv .keys i { display: inline-block; box-sizing: border-box; }
.tv .cards { display: grid; gap: 16px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 290px), 1fr)); }
.tv .card { display: flex; flex-direction: column; gap: 6px; padding: 18px 20px; min-height: 120px;
  text-decoration: none; color: inherit; border-radius: 12px;
  background: var(--mui-palette-background-paper);
  border: 1px solid var(--mui-palette-divider); transition: border-color 0.15s, box-shadow 0.15s; }
.tv .card:hover, .tv .card:focus-visible { border-color: var(--mui-palette-primary-main);
  box-shadow: 0 2px 12px rgba(0, 0, 0, 0.09); outline: none; }
.tv .card .go { margin-top: auto; padding-top: 8px; font-weight: 500;
  color: var(--mui-palette-primary-main); }
.tv .card.wide { grid-column: 1 / -1; border-left: 4px solid var(--mui-palette-primary-main); }
"""
