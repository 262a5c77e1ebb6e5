"""Web pages: the only modules that import Panel and Bokeh."""
