"""What Celery, kombu and Flower need to run Winback's tasks safely."""
