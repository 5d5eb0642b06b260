"""Adaptations of Celery, kombu and Flower, so that they run Winback's tasks safely."""
