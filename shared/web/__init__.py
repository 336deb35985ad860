"""Pages: templates, languages, files that browsers load, and the headers that fence them in."""
