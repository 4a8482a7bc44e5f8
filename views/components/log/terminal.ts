export type TerminalColour = 'black' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'white'

/** The style of a piece of terminal output. */
export interface TerminalLook {
  colour: TerminalColour | null
  background: TerminalColour | null
  /** Other styles: bold, dim, … */
  marks: ReadonlySet<TerminalMark>
}

export type TerminalMark = 'bold' | 'dim' | 'italic' | 'underline' | 'inverse' | 'strike'

export interface TerminalPiece extends TerminalLook {
  text: string
}

/** Escape sequences (ECMA-48): CSI and its parts; strings such as titles and links up to their end; the short ones. */
const escapes =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /(?:\x1b\[|\x9b)([0-?]*)[ -/]*([@-~])|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c|$)|\x1b[ -/]*[0-~]|\x1b$/g

/** Invisible characters, which would be drawn as placeholders; tabs and line ends stay. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const controls = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g

/** The text without terminal styles. */
export function withoutEscapes(text: string): string {
  return text.replace(escapes, '').replace(controls, '')
}

/** Splits terminal output into pieces of one style each; other escape sequences are left out. */
export function terminalPieces(text: string): TerminalPiece[] {
  const pieces: TerminalPiece[] = []
  let look = plain
  let from = 0
  const take = (to: number) => {
    const clean = text.slice(from, to).replace(controls, '')
    const last = pieces.at(-1)
    if (clean === '') return
    if (last && sameLook(last, look)) last.text += clean
    else pieces.push({ ...look, text: clean })
  }
  for (const match of text.matchAll(escapes)) {
    take(match.index)
    from = match.index + match[0].length
    if (match[2] === 'm') look = nextLook(look, match[1] ?? '')
  }
  take(text.length)
  return pieces
}

const plain: TerminalLook = { colour: null, background: null, marks: new Set() }

const names: TerminalColour[] = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']

const marksOn: Record<number, TerminalMark> = {
  1: 'bold',
  2: 'dim',
  3: 'italic',
  4: 'underline',
  7: 'inverse',
  9: 'strike',
}
const marksOff: Record<number, TerminalMark[]> = {
  22: ['bold', 'dim'],
  23: ['italic'],
  24: ['underline'],
  27: ['inverse'],
  29: ['strike'],
}

/** The style after the parameters of one `CSI … m`. */
function nextLook(before: TerminalLook, parameters: string): TerminalLook {
  let { colour, background } = before
  const marks = new Set(before.marks)
  const left = parameters.split(';')
  for (let parameter = left.shift(); parameter !== undefined; parameter = left.shift()) {
    const [code = 0, ...details] = parameter.split(':').map(Number)
    const on = marksOn[code]
    if (code === 0) {
      colour = null
      background = null
      marks.clear()
    } else if (code === 4 && details[0] === 0) marks.delete('underline')
    else if (on) marks.add(on)
    else if (marksOff[code]) for (const mark of marksOff[code]) marks.delete(mark)
    else if (code === 38) colour = extended(details.length > 0 ? details : takeExtended(left))
    else if (code === 48) background = extended(details.length > 0 ? details : takeExtended(left))
    else if (code === 39) colour = null
    else if (code === 49) background = null
    else if (inRange(code, 30) || inRange(code, 90)) colour = names[code % 10] ?? null
    else if (inRange(code, 40) || inRange(code, 100)) background = names[code % 10] ?? null
  }
  return { colour, background, marks }
}

const inRange = (code: number, first: number): boolean => code >= first && code <= first + 7

/** The parameters that belong to a 38 or 48. */
function takeExtended(left: string[]): number[] {
  return left.splice(0, left[0] === '2' ? 4 : 2).map(Number)
}

/** Maps one of the 256 colours, or any colour, to the nearest of the eight, which are legible in light and dark. */
function extended([kind, ...values]: readonly number[]): TerminalColour | null {
  if (kind === 2) {
    const [r = 0, g = 0, b = 0] = values.slice(-3)
    return nearest(r, g, b)
  }
  const [index = 0] = values
  if (kind !== 5) return null
  if (index < 16) return names[index % 8] ?? null
  if (index >= 232) return index < 244 ? 'black' : 'white'
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40)
  const cube = index - 16
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6))
}

function nearest(r: number, g: number, b: number): TerminalColour {
  const most = Math.max(r, g, b)
  const spread = most - Math.min(r, g, b)
  if (spread < 40) return most < 128 ? 'black' : 'white'
  const strong = (value: number) => most - value < spread / 2
  return names[(strong(r) ? 1 : 0) + (strong(g) ? 2 : 0) + (strong(b) ? 4 : 0)] ?? 'white'
}

function sameLook(a: TerminalLook, b: TerminalLook): boolean {
  return (
    a.colour === b.colour &&
    a.background === b.background &&
    a.marks.size === b.marks.size &&
    [...a.marks].every(mark => b.marks.has(mark))
  )
}
