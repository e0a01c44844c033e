"""Known networks in the grammar of einspace: ResNet-18, WRN-16-4, a vision transformer, MLP-Mixer."""

from __future__ import annotations

from nasturtium.space.signal import Signal

WIDTHS = (16, 32, 64, 128, 256, 512, 1024, 2048)
"""Lengths that linear maps can give an axis."""

PATCH = 4
NORM, RELU, SAME = "C[norm]", "C[leakyrelu]", "C[identity]"
EMBEDDING = f"S[R[im2col{PATCH}k{PATCH}s0p C[linear512] identity] C[learnable_positional_encoding]]"


def members(input: Signal) -> dict[str, str]:
    """The backbones in the notation of the space, by name, as the public code seeds its searches with them.

    They differ from it in two ways that change no parameter: where it leaves out the module around a computation, which
    its own grammar does not derive, one stands here; and its linear maps to four times and a quarter of an axis, which
    are no options, are those to the length itself. With ``head="reference"`` the parameters at 3x64x64 for 10 classes
    are 11,215,690 (resnet18), 2,751,146 (wrn16_4), 4,370,442 (vit) and 6,474,762 (mlp_mixer); with our head, which
    classifies the 512 features and not the 256 tokens, the last two have 2,560 more. The published WRN and
    ResNet have no biases in their convolutions, these do; ResNet has a convolution for its pooling, and no 7x7.

    The mixer's tokens have to be as many as a linear map can give. Where they are not, one to the nearest such number
    (32 for the 24 of a 27x18 image) comes first. Images with a side below four have no patches, so neither vit nor
    mlp_mixer.

    Args:
        input: The image.
    """
    found = {"resnet18": resnet18(), "wrn16_4": wrn16_4()}
    sides = [size for size in input.shape[1:] if size is not None]
    if input.kind == "image" and min(sides) >= PATCH:
        found |= {"vit": vit(), "mlp_mixer": mlp_mixer((sides[0] // PATCH) * (sides[1] // PATCH))}
    return found


def row(*modules: str) -> str:
    """Modules one after another, grouped from the left."""
    text = modules[0]
    for module in modules[1:]:
        text = f"S[{text} {module}]"
    return text


def halves(modules: list[str]) -> str:
    """Modules one after another, grouped by halves."""
    if len(modules) == 1:
        return modules[0]
    middle = len(modules) // 2
    return f"S[{halves(modules[:middle])} {halves(modules[middle:])}]"


def convolution(out: int, kernel: int = 3, stride: int = 1) -> str:
    """A convolution that keeps the size, or halves it."""
    return f"R[im2col{kernel}k{stride}s{kernel // 2}p C[linear{out}] col2im]"


def around(body: str, skip: str = SAME) -> str:
    """A module plus what is led around it."""
    return f"B[clone2 {{{body} ; {skip}}} add]"


def resnet18() -> str:
    """ResNet-18 (He et al. 2016), its stem a 3x3 convolution and a strided one."""

    def block(out: int, stride: int = 1) -> str:
        body = f"S[{row(convolution(out, 3, stride), NORM, RELU)} S[{convolution(out)} {NORM}]]"
        skip = SAME if stride == 1 else f"S[{convolution(out, 1, stride)} {NORM}]"
        return f"S[{around(body, skip)} {RELU}]"

    stem = row(convolution(64), NORM, RELU, convolution(64, 3, 2))
    stages = [f"S[{block(out, 1 if out == 64 else 2)} {block(out)}]" for out in (64, 128, 256, 512)]
    return f"S[{stem} {halves(stages)}]"


def wrn16_4() -> str:
    """WRN-16-4 (Zagoruyko and Komodakis 2016), with norm and activation behind the sums."""
    active = f"S[{NORM} {RELU}]"

    def block(out: int, stride: int, skip: str) -> str:
        body = f"S[S[{convolution(out, 3, stride)} {active}] {convolution(out)}]"
        return f"S[{around(body, skip)} {active}]"

    groups = [(64, 1), (128, 2), (256, 2)]
    stages = [f"S[{block(out, s, convolution(out, 1, s))} {block(out, 1, SAME)}]" for out, s in groups]
    return row(convolution(16), NORM, RELU, *stages)


def vit() -> str:
    """A vision transformer (Dosovitskiy et al. 2021): four layers with norms behind the sums, four heads, width 512."""
    keys = "R[identity C[linear64] permute21]"
    weights = f"S[B[clone2 {{C[linear64] ; {keys}}} scaled_dot_product] C[softmax]]"
    attention = f"B[clone2 {{{weights} ; C[linear64]}} dot_product]"
    heads = f"S[B[clone4 {{{attention}}} cat_tensors2d4t] C[linear512]]"
    forward = row("C[linear512]", RELU, "C[linear512]")
    layer = f"S[S[{around(heads)} {NORM}] S[{around(forward)} {NORM}]]"
    return f"S[{EMBEDDING} {halves([layer] * 4)}]"


def mlp_mixer(tokens: int) -> str:
    """MLP-Mixer (Tolstikhin et al. 2021): eight layers of width 512.

    Args:
        tokens: How many patches there are.
    """
    length = min(WIDTHS, key=lambda width: (abs(width - tokens), width))
    wide = min(4 * length, WIDTHS[-1])
    over_tokens = row(f"R[permute21 C[linear{wide}] identity]", RELU, f"R[identity C[linear{length}] permute21]")
    over_channels = row("C[linear256]", RELU, "C[linear512]")
    layer = around(f"S[{NORM} S[{over_tokens} {over_channels}]]")
    embedding = EMBEDDING if length == tokens else f"S[{EMBEDDING} R[permute21 C[linear{length}] permute21]]"
    return f"S[{embedding} {halves([layer] * 8)}]"
