"""Cloud, lock and Home Assistant, with an Exchange or a broker between them."""
