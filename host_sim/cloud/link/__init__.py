"""Cloud and lock over MQTT: the broker, what is told, what is heard, and Home Assistant.

Imports the domain; the web service starts it.
"""
