"""A client that asks until it gets an answer, as a person who presses the button again."""

import time
from typing import override

import httpx2

TRIES, WAIT = 30, 0.3
"""`WAIT`: seconds between two tries."""


class Patient(httpx2.HTTPTransport):
    """Repeats a request that failed with a status of 500 or more. Each request of these tests may arrive twice."""

    @override
    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = super().handle_request(request)
        for _ in range(TRIES):
            if answer.status_code < 500:
                break
            answer.close()
            time.sleep(WAIT)
            answer = super().handle_request(request)
        return answer
