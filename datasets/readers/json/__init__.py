"""Tables and values out of JSON files, typed by cell."""
