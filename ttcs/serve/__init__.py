"""The service: searches for any client of OpenAI's chat API."""
