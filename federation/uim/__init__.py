"""From a scan to the Party that can answer."""
