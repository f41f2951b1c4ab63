"""The asymmetric CycleGAN as one writes it in plain PyTorch: the peer of `nirtrans bench train`, nothing of ours in it.

Networks of torch's own layers, two Adam optimizers with torch's defaults, the order of the published CycleGAN loop
(generators first, then both discriminators, each with its own backward pass), losses read out after every step. The
layers stand in the order of our networks, so that weights can be copied one by one.

Source: Zhu et al. 2017 (CycleGAN), sections 3 and 4; Sun et al. 2019 for the four networks.
"""

import itertools
import random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nirtrans.models.cyclegan_asym import CycleGANAsym

LEAK = 0.2


def norm(channels: int) -> nn.Module:
    """Instance norm that learns an offset and no factor, as ours does."""
    layer = nn.InstanceNorm2d(channels, affine=True)
    layer.weight.requires_grad_(False)
    return layer


def reflected(inputs: int, outputs: int, kernel: int, *after: nn.Module, bias: bool = False) -> list[nn.Module]:
    """Convolve with reflected borders: [N, inputs, H, W] -> [N, outputs, H, W]."""
    return [nn.ReflectionPad2d(kernel // 2), nn.Conv2d(inputs, outputs, kernel, bias=bias), *after]


def halve(inputs: int, outputs: int, *, normed: bool = True) -> nn.Sequential:
    """Halve the size: [N, inputs, H, W] -> [N, outputs, H/2, W/2]."""
    layers = [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=not normed)]
    return nn.Sequential(*layers, *[norm(outputs)] * normed, nn.LeakyReLU(LEAK))


class Residual(nn.Module):
    """A residual block of two 3x3 convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        first = reflected(channels, channels, 3, norm(channels), nn.ReLU())
        self.body = nn.Sequential(*first, *reflected(channels, channels, 3, norm(channels)))

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        return x + self.body(x)


class ToRGB(nn.Module):
    """U-Net with residual blocks at its bottom and resize-convolutions."""

    def __init__(self, inputs: int, width: int, blocks: int, halvings: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(halvings + 1)]
        self.stem = nn.Sequential(*reflected(inputs, width, 7, norm(width), nn.ReLU()))
        self.downs = nn.ModuleList(halve(widths[i], widths[i + 1]) for i in range(halvings))
        self.blocks = nn.Sequential(*(Residual(widths[-1]) for _ in range(blocks)))
        self.ups = nn.ModuleList()
        for i in reversed(range(halvings)):
            joined = widths[i + 1] * (1 if i == halvings - 1 else 2)
            convolution = reflected(joined, widths[i], 3, norm(widths[i]), nn.ReLU())
            self.ups.append(nn.Sequential(nn.Upsample(scale_factor=2), *convolution))
        self.head = nn.Sequential(*reflected(2 * width, 3, 7, nn.Tanh(), bias=True))

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, 3, H, W]."""
        x, skips = self.stem(x), []
        for layer in self.downs:
            skips.append(x)
            x = layer(x)
        x = self.blocks(x)
        for layer in self.ups:
            x = torch.cat([layer(x), skips.pop()], 1)
        return self.head(x)


class ToNIR(nn.Module):
    """The U-Net of pix2pix without dropout."""

    def __init__(self, outputs: int, width: int, depth: int) -> None:
        super().__init__()
        widths = [3] + [width * min(2**level, 8) for level in range(depth)]
        self.encoder = nn.ModuleList()
        for i in range(depth):
            normed = 0 < i < depth - 1
            layer = nn.Conv2d(widths[i], widths[i + 1], 4, stride=2, padding=1, bias=not normed)
            before = [nn.LeakyReLU(LEAK)] * (i > 0)
            self.encoder.append(nn.Sequential(*before, layer, *[norm(widths[i + 1])] * normed))
        self.decoder = nn.ModuleList()
        for i in range(depth, 1, -1):
            inputs = widths[i] * (1 if i == depth else 2)
            up = nn.ConvTranspose2d(inputs, widths[i - 1], 4, stride=2, padding=1, bias=False)
            self.decoder.append(nn.Sequential(nn.ReLU(), up, norm(widths[i - 1])))
        last = nn.ConvTranspose2d(2 * widths[1], outputs, 4, stride=2, padding=1)
        self.head = nn.Sequential(nn.ReLU(), last, nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        """[N, 3, H, W] -> [N, outputs, H, W]."""
        skips = []
        for layer in self.encoder:
            x = layer(x)
            skips.append(x)
        x = skips.pop()
        for layer in self.decoder:
            x = torch.cat([skips.pop(), layer(x)], 1)
        return self.head(x)


class Patch(nn.Sequential):
    """The 70 px patch discriminator."""

    def __init__(self, inputs: int, width: int) -> None:
        body = [halve(inputs, width, normed=False), halve(width, 2 * width), halve(2 * width, 4 * width)]
        last = [nn.Conv2d(4 * width, 8 * width, 4, padding=1, bias=False), norm(8 * width), nn.LeakyReLU(LEAK)]
        super().__init__(*body, *last, nn.Conv2d(8 * width, 1, 4, padding=1))


class Pyramid(nn.Module):
    """A discriminator that judges three levels of a feature pyramid."""

    def __init__(self, width: int, levels: int, channels: int = 128) -> None:
        super().__init__()
        widths = [3] + [width * min(2**level, 8) for level in range(levels)]
        self.body = nn.ModuleList(halve(widths[i], widths[i + 1], normed=i > 0) for i in range(levels))
        self.lateral = nn.ModuleList(nn.Conv2d(size, channels, 1) for size in widths[-3:])
        self.smooth = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(3))
        self.heads = nn.ModuleList(
            nn.Sequential(nn.LeakyReLU(LEAK), nn.Conv2d(channels, 1, 3, padding=1)) for _ in range(3)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """[N, 3, H, W] -> three maps of logits."""
        features = []
        for layer in self.body:
            x = layer(x)
            features.append(x)
        maps, above = [], None
        for level in (2, 1, 0):
            here = self.lateral[level](features[level - 3])
            above = here if above is None else here + F.interpolate(above, size=here.shape[2:], mode="nearest")
            maps.append(self.heads[level](self.smooth[level](above)))
        return maps


class Pool:
    """Fifty generated pictures; half of the time an older one is returned."""

    def __init__(self) -> None:
        self.images: list[Tensor] = []

    def __call__(self, images: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        chosen = []
        for image in images:
            if len(self.images) < 50:
                self.images.append(image)
            elif random.random() < 0.5:
                slot = random.randrange(50)
                image, self.images[slot] = self.images[slot].clone(), image
            chosen.append(image)
        return torch.stack(chosen)


def lsgan(logits: Tensor | list[Tensor], wanted: float) -> Tensor:
    """Least squares against a constant, averaged over the maps."""
    maps = logits if isinstance(logits, list) else [logits]
    return torch.stack([F.mse_loss(one, torch.full_like(one, wanted)) for one in maps]).mean()


class PlainCycleGAN:
    """Four networks with the weights of `like`, and the loop over them; every step returns its losses.

    Args:
        like: Our system; its settings and present weights are taken over.
        lr: Learning rate of both optimizers.
    """

    def __init__(self, like: CycleGANAsym, lr: float, betas: tuple[float, float]) -> None:
        p, channels = like.params, like.in_channels
        self.p = p
        self.to_rgb = ToRGB(channels, p.width, p.blocks, p.halvings)
        self.to_nir = ToNIR(channels, p.back_width, p.back_depth)
        self.critic_rgb = Pyramid(p.critic_rgb.width, p.critic_rgb.layers or 5)
        self.critic_nir = Patch(channels, p.critic_nir.width)
        self.networks = {name: getattr(self, name) for name in like.network_names()}
        for name, network in self.networks.items():
            learned = [value for value in network.parameters() if value.requires_grad]
            with torch.no_grad():
                for mine, theirs in zip(learned, getattr(like, name).parameters(), strict=True):
                    mine.copy_(theirs)
            network.to(next(like.parameters()))
        self.critics = [self.critic_rgb, self.critic_nir]
        self.judging = [v for network in self.critics for v in network.parameters() if v.requires_grad]
        making = itertools.chain(self.to_rgb.parameters(), self.to_nir.parameters())
        self.adam_making = torch.optim.Adam([v for v in making if v.requires_grad], lr=lr, betas=betas)
        self.adam_judging = torch.optim.Adam(self.judging, lr=lr, betas=betas)
        self.pool_rgb, self.pool_nir = Pool(), Pool()

    def step(self, nir: Tensor, rgb: Tensor) -> dict[str, float]:
        """Train on aligned [N, C, H, W] and [N, 3, H, W] in [-1, 1]."""
        fake_rgb, fake_nir = self.to_rgb(nir), self.to_nir(rgb)
        cycle_nir, cycle_rgb = self.to_nir(fake_rgb), self.to_rgb(fake_nir)
        self._train_critics(False)
        self.adam_making.zero_grad()
        gan_rgb = lsgan(self.critic_rgb(fake_rgb), 1.0)
        gan_nir = self.p.nir_weight * lsgan(self.critic_nir(fake_nir), 1.0)
        cycle = self.p.cycle * (F.l1_loss(cycle_nir, nir) + F.l1_loss(cycle_rgb, rgb))
        l1, l1_nir = (self.p.fidelity.l1 * F.l1_loss(*pair) for pair in ((fake_rgb, rgb), (fake_nir, nir)))
        (gan_rgb + gan_nir + cycle + l1 + l1_nir).backward()
        self.adam_making.step()
        self._train_critics(True)
        self.adam_judging.zero_grad()
        judged_nir = self._judge(self.critic_nir, nir, self.pool_nir(fake_nir.detach()))
        judged_rgb = self._judge(self.critic_rgb, rgb, self.pool_rgb(fake_rgb.detach()))
        self.adam_judging.step()
        losses = {"generator/gan_rgb": gan_rgb, "generator/gan_nir": gan_nir, "generator/cycle": cycle}
        losses |= {"generator/l1": l1, "generator/l1_nir": l1_nir}
        losses |= {"discriminator/rgb": judged_rgb, "discriminator/nir": judged_nir}
        return {name: loss.item() for name, loss in losses.items()}

    def _train_critics(self, trained: bool) -> None:
        for value in self.judging:
            value.requires_grad_(trained)

    def _judge(self, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        loss = 0.5 * (lsgan(critic(real), 1.0) + lsgan(critic(fake), 0.0))
        loss.backward()
        return loss
