import { bytesInWords } from './bytes.ts'

/** How much of the disk something uses, in words and as a bar where there is a limit. */
export function DiskUse({ usedBytes, limitBytes }: { usedBytes: number; limitBytes: number | null }) {
  if (limitBytes === null) return <span>{bytesInWords(usedBytes)}, without a limit</span>
  const percent = Math.floor((usedBytes / limitBytes) * 100)
  return (
    <span class="use">
      <meter
        min={0}
        max={limitBytes}
        high={limitBytes * 0.8}
        optimum={0}
        value={usedBytes}
        aria-hidden="true"
      />{' '}
      {bytesInWords(usedBytes)} of {bytesInWords(limitBytes)} ({percent} %)
    </span>
  )
}
