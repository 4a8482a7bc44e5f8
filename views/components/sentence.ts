/** Capitalises the text and adds a full stop: `must be a number` becomes `Must be a number.` */
export function sentence(words: string): string {
  const end = /[.!?]$/.test(words) ? '' : '.'
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${end}`
}
