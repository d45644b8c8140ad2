"""The API for other programs, as OpenAI's own client uses it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai.types import Image, ImagesResponse
from PIL import Image as PilImage

from bot.policy.limits import Limits
from conversations.images.decode import PictureLimits
from conversations.turn import TurnState
from mgie_engine.edits import EditRequest, EditResult, Report
from mgie_engine.serving.masks import open_mask
from tests.support.api_server import (
    KEY,
    OTHER_KEY,
    PaintingSeeds,
    api_server,
    bar_of,
    client_of,
    opened,
)
from tests.support.fakes import EchoEditor, echo
from tests.support.page_server import MODEL, a_drawing, to_png


def results(answer: ImagesResponse) -> list[Image]:
    """The pictures of an answer."""
    assert answer.data is not None
    return answer.data


async def test_a_picture_is_edited_at_its_size(tmp_path: Path) -> None:
    editor = PaintingSeeds()
    async with api_server(tmp_path, editor) as api:
        answer = await api.client.images.edit(
            image=("house.png", a_drawing((320, 240))),
            prompt="make it darker",
            model=MODEL.name,
            extra_body={"seed": 7, "steps": 3},
        )
    [picture] = results(answer)
    assert opened(picture.b64_json).size == (320, 240)
    assert bar_of(opened(picture.b64_json)) == 7
    assert picture.revised_prompt == "A bar."
    [request] = editor.requests
    assert request.instruction == "make it darker"
    assert (request.settings.seed, request.settings.steps) == (7, 3)


async def test_several_pictures_have_seeds_in_a_row_also_beyond_what_may_wait(tmp_path: Path) -> None:
    async with api_server(tmp_path, PaintingSeeds(), limits=Limits(waiting_per_person=2)) as api:
        answer = await api.client.images.edit(
            image=a_drawing(), prompt="make it darker", n=5, extra_body={"seed": 3}
        )
    assert [bar_of(opened(each.b64_json)) for each in results(answer)] == [3, 4, 5, 6, 7]


async def test_a_stream_brings_previews_and_then_the_picture(tmp_path: Path) -> None:
    async with api_server(tmp_path, PaintingSeeds()) as api:
        stream = await api.client.images.edit(
            image=a_drawing(), prompt="make it darker", stream=True, partial_images=2, output_format="webp"
        )
        events = [event async for event in stream]
    kinds = [event.type for event in events]
    assert kinds == ["image_edit.partial_image"] * 2 + ["image_edit.completed"]
    assert [event.partial_image_index for event in events[:2]] == [0, 1]
    assert all(opened(event.b64_json).format == "WEBP" for event in events)
    assert opened(events[-1].b64_json).size == (320, 240)


@pytest.mark.parametrize(
    ("asked", "kind", "size"),
    [
        ({}, "PNG", (320, 240)),
        ({"size": "128x128"}, "PNG", (128, 128)),
        ({"output_format": "jpeg", "output_compression": 80}, "JPEG", (320, 240)),
        ({"output_format": "webp", "size": "64x96"}, "WEBP", (64, 96)),
    ],
)
async def test_size_and_format_are_as_asked(
    tmp_path: Path, asked: dict[str, Any], kind: str, size: tuple[int, int]
) -> None:
    async with api_server(tmp_path, EchoEditor()) as api:
        answer = await api.client.images.edit(image=a_drawing(), prompt="make it darker", **asked)
    picture = opened(results(answer)[0].b64_json)
    assert (picture.format, picture.size) == (kind, size)


async def test_a_picture_can_be_fetched_by_its_address(tmp_path: Path) -> None:
    async with api_server(tmp_path, EchoEditor(), keys=[KEY]) as api, httpx.AsyncClient() as anybody:
        answer = await api.client.images.edit(
            image=a_drawing(), prompt="make it darker", response_format="url", output_format="jpeg"
        )
        fetched = await anybody.get(results(answer)[0].url or "")
        assert fetched.headers["Content-Type"] == "image/jpeg"
        assert (await anybody.get(f"{api.url}/images/files/guessed.png")).status_code == 404


async def test_the_model_is_listed_and_another_does_not_exist(tmp_path: Path) -> None:
    async with api_server(tmp_path, EchoEditor()) as api:
        assert [model.id async for model in api.client.models.list()] == [MODEL.name]
        assert (await api.client.models.retrieve(MODEL.name)).id == MODEL.name
        with pytest.raises(openai.NotFoundError, match="'other' does not exist"):
            await api.client.images.edit(image=a_drawing(), prompt="make it darker", model="other")
        await api.client.images.edit(image=a_drawing(), prompt="make it darker", model="gpt-image-1")


async def test_only_a_key_opens_it_and_each_key_is_a_user(tmp_path: Path) -> None:
    async with api_server(tmp_path, EchoEditor(), keys=[KEY, OTHER_KEY]) as api:
        async with client_of(api.url, "a-key-that-is-wrong") as other:
            with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
                await other.images.edit(image=a_drawing(), prompt="darker")
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{api.url}/models")).status_code == 401
        for key in (KEY, OTHER_KEY):
            async with client_of(api.url, key) as one:
                await one.images.edit(image=a_drawing(), prompt="make it darker")
        users = {turn.user for turn in await api.store.turns_in(TurnState.DONE)}
    assert len(users) == 2
    assert not any(KEY in user for user in users)


async def test_without_keys_no_web_page_may_ask(tmp_path: Path) -> None:
    async with api_server(tmp_path, EchoEditor()) as api, httpx.AsyncClient() as browser:
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            answer = await browser.get(f"{api.url}/models", headers=headers)
            assert answer.status_code == 403


async def test_what_cannot_be_edited_is_said_in_the_form_of_the_api(tmp_path: Path) -> None:
    async with api_server(tmp_path, EchoEditor()) as api:
        edit = api.client.images.edit
        with pytest.raises(openai.BadRequestError) as refused:
            await edit(image=b"no picture at all", prompt="make it darker")
        assert (refused.value.param, refused.value.type) == ("image", "invalid_request_error")
        with pytest.raises(openai.BadRequestError, match="characters"):
            await edit(image=a_drawing(), prompt="darker " * 100)
        with pytest.raises(openai.BadRequestError, match="steps"):
            await edit(image=a_drawing(), prompt="darker", extra_body={"steps": 5000})
        with pytest.raises(openai.APIStatusError) as large:
            await edit(image=bytes(PictureLimits().bytes + 1), prompt="make it darker")
        assert large.value.status_code == 413
        with pytest.raises(openai.BadRequestError, match="One picture"):
            await edit(image=[a_drawing(), a_drawing()], prompt="make it darker")
        with pytest.raises(openai.BadRequestError, match="Unknown parameter: 'colour'"):
            await edit(image=a_drawing(), prompt="make it darker", extra_body={"colour": "red"})


async def test_busy_is_a_rate_limit(tmp_path: Path) -> None:
    editor = PaintingSeeds()
    editor.may_end.clear()
    async with api_server(tmp_path, editor, limits=Limits(requests=1)) as api:
        first = asyncio.create_task(api.client.images.edit(image=a_drawing(), prompt="make it darker"))
        await editor.until(begun=1)
        with pytest.raises(openai.RateLimitError) as refused:
            await api.client.images.edit(image=a_drawing(), prompt="make it darker")
        assert refused.value.code == "too_fast"
        assert refused.value.response.headers["Retry-After"]
        editor.may_end.set()
        await first


async def test_who_goes_away_gives_up_the_edit(tmp_path: Path) -> None:
    editor = PaintingSeeds()
    editor.may_end.clear()
    async with api_server(tmp_path, editor) as api:
        asking = asyncio.create_task(api.client.images.edit(image=a_drawing(), prompt="make it darker", n=2))
        await editor.until(begun=2)
        asking.cancel()
        await editor.until(cancelled=2)


async def test_what_the_model_declines_is_an_error_that_names_what_works(tmp_path: Path) -> None:
    class Declining(EchoEditor):
        async def run(self, request: EditRequest, report: Report) -> EditResult:
            return replace(echo(request), is_declined=True)

    async with api_server(tmp_path, Declining()) as api:
        with pytest.raises(openai.BadRequestError, match="make it darker") as refused:
            await api.client.images.edit(image=a_drawing(), prompt="remove the man")
    assert refused.value.param == "prompt"


def a_mask(size: tuple[int, int] = (320, 240)) -> bytes:
    """Transparent where the picture may change, as OpenAI's API has it."""
    picture = PilImage.new("RGBA", size, "black")
    picture.paste((0, 0, 0, 0), (10, 20, 100, 200))
    return to_png(picture)


async def test_transparent_areas_of_a_mask_are_edited(tmp_path: Path) -> None:
    editor = PaintingSeeds()
    async with api_server(tmp_path, editor) as api:
        await api.client.images.edit(image=a_drawing(), mask=a_mask(), prompt="make it darker", n=3)
    masks = [request.mask for request in editor.requests]
    assert masks[0] is not None
    region = open_mask(masks[0], (320, 240))
    assert region[20:200, 10:100].all()
    assert region.sum() == 180 * 90
    assert masks == [masks[0]] * 3


@pytest.mark.parametrize(
    ("mask", "code"),
    [
        (a_mask((240, 320)), "mask_size"),
        (to_png(PilImage.new("RGBA", (320, 240), "black")), "mask_empty"),
        (b"no picture", "mask_unreadable"),
    ],
)
async def test_a_mask_that_does_not_fit_is_named(tmp_path: Path, mask: bytes, code: str) -> None:
    async with api_server(tmp_path, EchoEditor()) as api:
        with pytest.raises(openai.BadRequestError) as caught:
            await api.client.images.edit(image=a_drawing(), mask=mask, prompt="make it darker")
    assert (caught.value.code, caught.value.param) == (code, "mask")
