const controls = /<(a|button|summary|select|textarea|input)\b([^>]*)>(?:([\s\S]*?)<\/\1>)?/g

/**
 * Finds controls whose accessible name does not start with their visible text (WCAG 2.5.3, "label in name"), which
 * people with voice control say. The visible text of an input is its placeholder.
 */
export function unfitNames(html: string): string[] {
  return [...html.matchAll(controls)].flatMap(([, tag = '', head = '', inner = '']) => {
    if (/aria-labelledby=/.test(head)) return [`<${tag}> has aria-labelledby, which is not looked into`]
    const name = attribute(head, 'aria-label')
    if (name === null) return []
    const seen = tag === 'input' ? (attribute(head, 'placeholder') ?? '') : seenText(inner)
    return words(name).startsWith(words(seen)) ? [] : [`“${words(seen)}” is called “${words(name)}”`]
  })
}

function attribute(head: string, name: string): string | null {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(head)?.[1] ?? null
}

/** Without hidden text and pictures. */
function seenText(html: string): string {
  return html
    .replace(/<svg[\s\S]*?<\/svg>/g, '')
    .replace(/<(\w+)[^>]*class="[^"]*\bunseen\b[^"]*"[^>]*>[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, '')
}

function words(text: string): string {
  return text
    .replace(/&(amp|quot|#39|lt|gt);/g, '.')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase()
}
