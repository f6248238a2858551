"""How the upscaler for flat outlined drawings is trained."""
