"""A client that asks until it is answered, as people do who press the button again."""

import time
from typing import override

import httpx2

TRIES, WAIT = 30, 0.3
"""Seconds between two tries."""


class Patient(httpx2.HTTPTransport):
    """Whatever is answered with our own failure is asked again: all that is asked here may be asked twice."""

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
