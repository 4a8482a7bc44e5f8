/** The end of a long log. What is added pushes the oldest text out. */
export interface LogTail {
  /** Adds text. `written` is how many of its bytes the run wrote; the rest are heads of lines. */
  add(text: string, written: number, startsLine: boolean): void
  /** Returns what is kept, and how many bytes of the run are left out. */
  kept(): { text: string; leftOut: number }
}

interface Block {
  text: string
  written: number
  startsLine: boolean
}

/** Small pieces are joined: a log of one letter a line would otherwise take a hundred times the memory. */
const blockLength = 8 * 1024

/**
 * Keeps the last `writtenBytes` bytes that the run wrote, or a little more, but not much more text than `textLength`
 * characters, heads of lines included.
 */
export function createLogTail({
  writtenBytes,
  textLength,
}: {
  writtenBytes: number
  textLength: number
}): LogTail {
  const blocks: Block[] = []
  let written = 0
  let length = 0
  let leftOut = 0

  return {
    add: (text, bytes, startsLine) => {
      const last = blocks.at(-1)
      if (last && last.text.length + text.length <= blockLength) {
        last.text += text
        last.written += bytes
      } else blocks.push({ text, written: bytes, startsLine })
      written += bytes
      length += text.length
      for (let first = blocks[0]; first && blocks.length > 1; first = blocks[0]) {
        if (written - first.written < writtenBytes && length - first.text.length < textLength) return
        blocks.shift()
        written -= first.written
        length -= first.text.length
        leftOut += first.written
      }
    },
    kept: () => {
      const text = blocks.map(block => block.text).join('')
      const [first] = blocks
      if (!first || first.startsLine || leftOut === 0) return { text, leftOut }
      // Drop the rest of a line whose beginning is gone, unless that is all there is.
      const rest = text.indexOf('\n') + 1
      if (rest === 0 || rest === text.length) return { text, leftOut }
      return { text: text.slice(rest), leftOut: leftOut + Buffer.byteLength(text.slice(0, rest)) }
    },
  }
}
