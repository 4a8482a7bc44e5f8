/**
 * Returns why an engine cannot give an instance these limits, as a fault of the setting or plan `whose`; null when it can.
 * What the engine does not report is not checked.
 */
export function exceeds(
  limits: { cpus?: number; memoryBytes?: number },
  capacity: { cpus: number | null; memoryBytes: number | null },
  whose: string,
): string | null {
  const { cpus = 0, memoryBytes = 0 } = limits
  if (capacity.cpus !== null && cpus > capacity.cpus)
    return `${whose}: asks for ${cpus} CPU cores, and the Docker engine has ${capacity.cpus}; lower it, or give the host more`
  if (capacity.memoryBytes !== null && memoryBytes > capacity.memoryBytes)
    return `${whose}: asks for ${gigabytes(memoryBytes)} of memory, and the Docker engine has ${gigabytes(capacity.memoryBytes)}; lower it, or give the host more`
  return null
}

/** Returns why containers cannot have this runtime, as a fault of its setting; null when they can. */
export function unknownRuntime(
  name: string | undefined,
  known: readonly string[] | undefined,
): string | null {
  if (name === undefined || known === undefined || known.includes(name)) return null
  return `INSTANCE_RUNTIME: the Docker engine knows no runtime ${name}, only ${known.join(', ')}; install it and name it in the engine's daemon.json, or leave the setting out`
}

function gigabytes(bytes: number): string {
  return `${Number((bytes / 1024 ** 3).toFixed(1))} GiB`
}
