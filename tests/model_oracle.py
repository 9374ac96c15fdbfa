"""A decoder in plain loops of numpy, one token and head at a time."""

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
      mean = 0 if lm.config.norm_offset else 1
      return mean + 0.1 * rng.normal(size=shape.shape)
    return scale * rng.normal(size=shape.shape)

  shapes = jax.eval_shape(lm.init, jax.random.key(0))
  return jax.tree.map(lambda shape: leaf(shape).astype(dtype), shapes)


def norm(cfg, x, scale):
  scale = np.asarray(scale, np.float64) + (1 if cfg.norm_offset else 0)
  return x / np.sqrt((x**2).mean() + cfg.norm_eps) * scale


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


def rotate(vector, position, cfg, layer):
  half = len(vector) // 2
  out = np.zeros_like(vector)
  theta, scaling, factor = cfg.rope_theta, cfg.rope_scaling, cfg.rope_factor
  if cfg.local_rope_theta is not None and cfg.window(layer) is not None:
    theta, scaling, factor = cfg.local_rope_theta, None, 1
  for i in range(half):
    radians = frequency(i, half, theta, scaling) / factor
    turn = np.exp(1j * position * radians)
    turned = (vector[i] + 1j * vector[i + half]) * turn
    out[i], out[i + half] = turned.real, turned.imag
  return out


def attend(cfg, query, keys, values):
  """One head's [H] query over lists of [H] keys and values."""
  scale = cfg.attention_scale or len(query) ** -0.5
  scores = [query @ key * scale for key in keys]
  if cfg.attention_cap is not None:
    cap = cfg.attention_cap
    scores = [cap * np.tanh(score / cap) for score in scores]
  weights = [np.exp(score - max(scores)) for score in scores]
  total = sum(weights)
  return sum(
    w / total * value for w, value in zip(weights, values, strict=True)
  )


def activate(cfg, x):
  if cfg.activation == "silu":
    return x / (1 + np.exp(-x))
  return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def heads(cfg, block, normed):
  """Queries, key and value [K, G + 2, H] of one token, before they rotate."""
  qkv = np.einsum("d,dkgh->kgh", normed, np.asarray(block["qkv"]))
  if cfg.qkv_bias:
    qkv = qkv + np.asarray(block["qkv_bias"])
  if cfg.qk_norm:
    for k in range(cfg.kv_heads):
      for g in range(cfg.group + 1):
        kind = "key_norm" if g == cfg.group else "query_norm"
        qkv[k, g] = norm(cfg, qkv[k, g], block[kind]["scale"])
  return qkv


def forward(cfg, params, tokens):
  """Logits [T, V] of one sequence, float64."""
  kept = [[] for _ in range(cfg.layers)]
  logits = []
  for position, token in enumerate(tokens):
    x = np.asarray(params["embedding"], np.float64)[token]
    if cfg.scaled_embedding:
      x = x * np.sqrt(cfg.width)
    for layer in range(cfg.layers):
      block = params[f"layer_{layer}"]
      qkv = heads(cfg, block, norm(cfg, x, block["attention_norm"]["scale"]))
      keys = [rotate(head[-2], position, cfg, layer) for head in qkv]
      kept[layer].append((keys, [head[-1] for head in qkv]))
      window = cfg.window(layer) or len(tokens)
      past = kept[layer][-window:]
      added = np.zeros_like(x)
      for k in range(cfg.kv_heads):
        for g in range(cfg.group):
          query = rotate(qkv[k, g], position, cfg, layer)
          mixed = attend(
            cfg, query, [one[0][k] for one in past], [one[1][k] for one in past]
          )
          added += mixed @ np.asarray(block["out"])[k, g]
      if cfg.post_norms:
        added = norm(cfg, added, block["attention_post_norm"]["scale"])
      x = x + added
      normed = norm(cfg, x, block["mlp_norm"]["scale"])
      gate, up = np.einsum("d,dcm->cm", normed, np.asarray(block["gate_up"]))
      added = (activate(cfg, gate) * up) @ np.asarray(block["down"])
      if cfg.post_norms:
        added = norm(cfg, added, block["mlp_post_norm"]["scale"])
      x = x + added
    hidden = norm(cfg, x, params["final_norm"]["scale"])
    out = params["embedding"].T if cfg.tied else params["unembedding"]
    made = hidden @ np.asarray(out)
    if cfg.logit_cap is not None:
      made = cfg.logit_cap * np.tanh(made / cfg.logit_cap)
    logits.append(made)
  return np.stack(logits)
