"""What every section of the file has in common."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

__all__ = ["Probability", "Strict"]

Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class Strict(BaseModel):
    """Unknown keys are errors and values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @model_serializer(mode="wrap")
    def _without_absent(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is null by default; a null that an operator wrote over another default stays."""
        dumped: dict[str, Any] = dump(self)
        for name, field in type(self).model_fields.items():
            if field.default is None and getattr(self, name) is None:
                dumped.pop(field.alias or name, None)
                dumped.pop(name, None)
        return dumped
