"""A Llama decoder in plain loops of numpy, one token and head at a time."""

import jax
import numpy as np


def draw(lm, scale=0.4, dtype="float32"):
  """Parameters of the shapes that `lm.init` gives, without compiling it.

  The default scale is far above that at initialisation, so that attention is
  far from uniform.
  """
  rng = np.random.default_rng(1)

  def leaf(shape):
    if len(shape.shape) == 1:
      return 1 + 0.1 * rng.normal(size=shape.shape)
    return scale * rng.normal(size=shape.shape)

  shapes = jax.eval_shape(lm.init, jax.random.key(0))
  return jax.tree.map(lambda shape: leaf(shape).astype(dtype), shapes)


def norm(x, scale, eps):
  return x / np.sqrt((x**2).mean() + eps) * scale


def frequency(i, half, theta, scaling=None):
  """Radians a token of channel i, as Llama 3.1 defines it by wavelengths."""
  plain = theta ** (-i / half)
  if scaling is None:
    return plain
  wavelength = 2 * np.pi / plain
  original = scaling.original_max_positions
  if wavelength < original / scaling.high_freq_factor:
    return plain
  if wavelength > original / scaling.low_freq_factor:
    return plain / scaling.factor
  smooth = (original / wavelength - scaling.low_freq_factor) / (
    scaling.high_freq_factor - scaling.low_freq_factor
  )
  return (1 - smooth) * plain / scaling.factor + smooth * plain


def rotate(vector, position, cfg):
  half = len(vector) // 2
  out = np.zeros_like(vector)
  for i in range(half):
    radians = frequency(i, half, cfg.rope_theta, cfg.rope_scaling)
    turn = np.exp(1j * position * radians)
    turned = (vector[i] + 1j * vector[i + half]) * turn
    out[i], out[i + half] = turned.real, turned.imag
  return out


def attend(query, keys, values):
  """One head's [H] query over lists of [H] keys and values."""
  scores = [query @ key / np.sqrt(len(query)) for key in keys]
  weights = [np.exp(score - max(scores)) for score in scores]
  total = sum(weights)
  return sum(
    w / total * value for w, value in zip(weights, values, strict=True)
  )


def forward(cfg, params, tokens):
  """Logits [T, V] of one sequence, float64."""
  kept = [[] for _ in range(cfg.layers)]
  logits = []
  for position, token in enumerate(tokens):
    x = np.asarray(params["embedding"], np.float64)[token]
    for layer in range(cfg.layers):
      block = params[f"layer_{layer}"]
      normed = norm(x, block["attention_norm"]["scale"], cfg.norm_eps)
      qkv = np.einsum("d,dkgh->kgh", normed, np.asarray(block["qkv"]))
      keys = [rotate(head[-2], position, cfg) for head in qkv]
      kept[layer].append((keys, [head[-1] for head in qkv]))
      added = np.zeros_like(x)
      for k in range(cfg.kv_heads):
        for g in range(cfg.group):
          query = rotate(qkv[k, g], position, cfg)
          past = [keys[k] for keys, _ in kept[layer]]
          values = [values[k] for _, values in kept[layer]]
          mixed = attend(query, past, values)
          added += mixed @ np.asarray(block["out"])[k, g]
      x = x + added
      normed = norm(x, block["mlp_norm"]["scale"], cfg.norm_eps)
      gate, up = np.einsum("d,dcm->cm", normed, np.asarray(block["gate_up"]))
      x = x + (gate / (1 + np.exp(-gate)) * up) @ np.asarray(block["down"])
    hidden = norm(x, np.asarray(params["final_norm"]["scale"]), cfg.norm_eps)
    out = params["embedding"].T if cfg.tied else params["unembedding"]
    logits.append(hidden @ np.asarray(out))
  return np.stack(logits)
