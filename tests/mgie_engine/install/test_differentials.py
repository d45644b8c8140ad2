from mgie_engine.install.differentials import Differentials


def test_the_published_pair_has_the_tensors_and_sizes_that_are_known_of_it():
    published = Differentials.of()
    assert {file: len(shapes) for file, shapes in published.shapes.items()} == {
        "mllm.pt": 131,
        "unet.pt": 686,
    }
    assert tuple(published.embeddings) == (1, 8, 4096)
    assert published.bytes_of("mllm.pt") == 588_451_328  # 588.4 MB
    assert published.bytes_of("unet.pt") == 1_719_064_968  # 1.72 GB
    assert tuple(published.shapes["unet.pt"]["conv_in.weight"]) == (320, 8, 3, 3)
    assert tuple(published.shapes["mllm.pt"]["model.embed_tokens.weight"]) == (32011, 4096)
