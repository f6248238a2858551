"""The text engine: cleaning, scripts, fonts, bidirectional order, shaping by HarfBuzz, line layout."""
