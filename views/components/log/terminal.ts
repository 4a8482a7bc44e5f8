export type TerminalColour = 'black' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'white'

/** The style of a piece of terminal output. */
export interface TerminalLook {
  colour: TerminalColour | null
  background: TerminalColour | null
  /** Other styles: bold, dim, … */
  marks: ReadonlySet<TerminalMark>
  /** Where a link (OSC 8) leads: an address of http or https. */
  link: string | null
}

export type TerminalMark = 'bold' | 'dim' | 'italic' | 'underline' | 'inverse' | 'strike'

export interface TerminalPiece extends TerminalLook {
  text: string
}

/** Escape sequences (ECMA-48): CSI and its parts; strings such as titles and links up to their end; the short ones. */
const escapes =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /(?:\x1b\[|\x9b)([0-?]*)[ -/]*([@-~])|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])([^\x07\x1b\x9c\n]*)(?:\x07|\x1b\\|\x9c|$)|\x1b[ -/]*[0-~]|\x1b$/g

/** Invisible characters, which would be drawn as placeholders; tabs and line ends stay. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const controls = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g

/** The text without terminal styles. */
export function withoutEscapes(text: string): string {
  return text.replace(escapes, '').replace(controls, '')
}

/** Splits terminal output into pieces of one style each, as it looks when it is written. */
export function terminalPieces(text: string): TerminalPiece[] {
  const pieces: TerminalPiece[] = []
  let look = plain
  for (const [index, line] of text.split('\n').entries()) {
    if (index > 0) addTo(pieces, '\n', look)
    const shown = terminalLine(line, look)
    for (const piece of shown.pieces) addTo(pieces, piece.text, piece)
    look = shown.look
  }
  return pieces
}

/** The text as a terminal shows it: without styles, and without what was overwritten. */
export function visibleText(text: string): string {
  if (!special.test(text)) return text
  const lines = text.split('\n').map(line =>
    special.test(line)
      ? terminalLine(line)
          .pieces.map(piece => piece.text)
          .join('')
      : line,
  )
  return lines.join('\n')
}

/**
 * One line of terminal output: what it looks like when all of it is written, and the style in which the next line begins.
 * A carriage return, a backspace and the sequences that move within the line or erase parts of it do as in a terminal, so
 * that a progress bar shows where it came to. Other sequences are left out. Every character counts as one column.
 */
export function terminalLine(
  text: string,
  before: TerminalLook = plain,
): { pieces: TerminalPiece[]; look: TerminalLook } {
  const line = moves.test(text.replace(/\r+$/, '')) ? createCells() : createPieces()
  let look = before
  let from = 0
  for (const match of text.matchAll(escapes)) {
    line.write(text.slice(from, match.index), look)
    from = match.index + match[0].length
    const [, parameters = '', final = '', words = ''] = match
    if (final === 'm') look = nextLook(look, parameters)
    else if (final !== '') line.move(final, Number.parseInt(parameters, 10))
    else if (words.startsWith('8;')) look = { ...look, link: linkIn(words) }
  }
  line.write(text.slice(from), look)
  return { pieces: line.pieces(), look }
}

/** What a text may hold that is not shown as it is: control characters, and with them all escape sequences. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const special = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const moves = /[\r\b]|(?:\x1b\[|\x9b)[\d;]*[@CDGKPX`a]/

/** The address of a link (OSC 8, `8;parameters;address`); null at its end, and for what a browser should not open. */
function linkIn(words: string): string | null {
  const address = words.slice(words.indexOf(';', 2) + 1)
  return /^https?:\/\/[^\s]+$/.test(address) ? address : null
}

interface Line {
  write(text: string, look: TerminalLook): void
  move(final: string, count: number): void
  pieces(): TerminalPiece[]
}

/** A line that is written from its beginning to its end. */
function createPieces(): Line {
  const pieces: TerminalPiece[] = []
  return {
    write: (text, look) => addTo(pieces, text.replaceAll('\r', '').replace(controls, ''), look),
    move: () => {},
    pieces: () => pieces,
  }
}

/** A move beyond this column stays there. */
const lastColumn = 10_000

/** A line in which writing goes back. */
function createCells(): Line {
  const cells: TerminalPiece[] = []
  let column = 0
  const fill = (to: number) => {
    while (cells.length < to) cells.push({ ...plain, text: ' ' })
  }
  const blank = (from: number, to: number) => {
    for (let at = from; at < Math.min(to, cells.length); at++) cells[at] = { ...plain, text: ' ' }
  }
  const put = (character: string, look: TerminalLook) => {
    if (character === '\r') column = 0
    else if (character === '\b') column = Math.max(0, column - 1)
    else if (special.test(character)) return
    else if (isMark.test(character) && column > 0) {
      const last = cells[column - 1]
      if (last) last.text += character
    } else {
      fill(column)
      cells[column++] = { ...look, text: character }
    }
  }
  return {
    write: (text, look) => {
      for (const character of text) put(character, look)
    },
    move: (final, given) => {
      const count = Math.min(Number.isNaN(given) ? (final === 'K' ? 0 : 1) : given, lastColumn)
      if (final === 'C' || final === 'a') column = Math.max(column, Math.min(column + count, lastColumn))
      else if (final === 'D') column = Math.max(0, column - count)
      else if (final === 'G' || final === '`') column = Math.max(0, count - 1)
      else if (final === 'K' && count === 0) cells.length = Math.min(cells.length, column)
      else if (final === 'K' && count === 1) blank(0, column + 1)
      else if (final === 'K') cells.length = 0
      else if (final === 'X') blank(column, column + count)
      else if (final === 'P') cells.splice(column, count)
      else if (final === '@' && column < cells.length)
        cells.splice(column, 0, ...Array.from({ length: count }, () => ({ ...plain, text: ' ' })))
    },
    pieces: () => {
      const pieces: TerminalPiece[] = []
      for (const { text, ...look } of cells) addTo(pieces, text, look)
      return pieces
    },
  }
}

/** What is drawn over the character before it. */
const isMark = /^(?:\p{Mn}|\p{Me}|\u200d|[\ufe00-\ufe0f])$/u

function addTo(pieces: TerminalPiece[], text: string, look: TerminalLook): void {
  if (text === '') return
  const last = pieces.at(-1)
  if (last && sameLook(last, look)) last.text += text
  else pieces.push({ ...look, text })
}

const plain: TerminalLook = { colour: null, background: null, marks: new Set(), link: null }

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
  return { colour, background, marks, link: before.link }
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
    a.link === b.link &&
    a.marks.size === b.marks.size &&
    [...a.marks].every(mark => b.marks.has(mark))
  )
}
