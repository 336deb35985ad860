"""The service `codes`: which public credential stands for which right. See README.md."""
