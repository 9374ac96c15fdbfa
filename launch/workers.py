"""How many hosts the TPU slice has that this one is of."""

import os
import urllib.error
import urllib.request
from typing import Any

import jax

# As the service of Google's machines has it, and JAX reads it.
_WORKERS = "computeMetadata/v1/instance/attributes/worker-network-endpoints"


def count() -> int:
  """Hosts of the TPU slice that this one is of; 1 where it is of none."""
  config: Any = jax.config
  if "tpu" not in (config.jax_platforms or "tpu"):
    return 1
  named = ("TPU_PROCESS_ADDRESSES", "TPU_WORKER_HOSTNAMES")
  for name in named:
    if os.environ.get(name):
      return len(os.environ[name].split(","))
  # JAX sets it where there is no TPU.
  if "TPU_SKIP_MDS_QUERY" in os.environ:
    return 1
  server = os.environ.get("GCE_METADATA_IP", "metadata.google.internal")
  request = urllib.request.Request(
    f"http://{server}/{_WORKERS}", headers={"Metadata-Flavor": "Google"}
  )
  try:
    with urllib.request.urlopen(request, timeout=10) as reply:
      return len(reply.read().decode().split(","))
  except (urllib.error.URLError, TimeoutError):
    return 1  # No machine of Google's.
