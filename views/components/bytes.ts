/** A size for people: `12 KiB`, `512 MiB`, `1.5 GiB`. */
export function bytesInWords(bytes: number): string {
  const mebibytes = bytes / 1024 ** 2
  if (mebibytes >= 1024) return `${Number((mebibytes / 1024).toFixed(1))} GiB`
  if (mebibytes < 1) return `${Math.ceil(bytes / 1024)} KiB`
  return mebibytes >= 10 ? `${Math.round(mebibytes)} MiB` : `${Number(mebibytes.toFixed(1))} MiB`
}

/** A share of the processor: `0.25 cores`. */
export function coresInWords(cores: number): string {
  const digits = cores < 0.1 ? 3 : 2
  const rounded = Number(cores.toFixed(digits))
  return `${rounded} ${rounded === 1 ? 'core' : 'cores'}`
}
