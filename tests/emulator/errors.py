# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refused request is answered."""

from __future__ import annotations

from typing import Any

SOMETHING_WRONG = "Something went wrong"


class ApiError(Exception):
    """A refusal: status, the value of ``error``, message, and what else the answer carries."""

    def __init__(
        self,
        status: int,
        error: str,
        message: Any,
        *,
        details: Any = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {error}: {message}")
        self.status = status
        self.error = error
        self.message = message
        self.details = details
        self.headers = headers or {}

    def body(self, request_id: str | None) -> dict[str, Any]:
        """The JSON body. Servers of 2024 give no request id."""
        body: dict[str, Any] = {} if request_id is None else {"reqId": request_id}
        body |= {"statusCode": self.status, "message": self.message, "error": self.error}
        if self.details is not None:
            body["details"] = self.details
        return body


def bad_request(message: str) -> ApiError:
    """The request makes no sense in the state that the server is in."""
    return ApiError(400, "BadRequest", message)


def unauthorized(message: str) -> ApiError:
    """The credentials are not, or no longer, good."""
    return ApiError(401, "UnauthorizedError", message)


def token_error(message: str) -> ApiError:
    """The token cannot be read, or has expired by its own word."""
    return ApiError(403, "TokenError", message)


def permission_denied(action: str, subject: str = "identity") -> ApiError:
    """The caller's role lacks a permission."""
    return ApiError(
        403, "PermissionDenied", f"You are not allowed to {action} on {subject}", details=[]
    )


def forbidden(message: str, *, error: str = "ForbiddenError") -> ApiError:
    """Refused for a reason other than the role's permissions."""
    return ApiError(403, error, message)


def not_found(message: str) -> ApiError:
    """A thing that does not exist, as opposed to a route that does not."""
    return ApiError(404, "NotFound", message)


def broken(error: str = "InternalServerError") -> ApiError:
    """A failure inside the server; `error` names the database operation if it was one."""
    return ApiError(500, error, SOMETHING_WRONG)
