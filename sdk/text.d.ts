// Files that are imported as text. A `.txt` file is text by itself; any other is imported `with { type: 'text' }`.

declare module '*.txt' {
  const text: string
  export default text
}
declare module '*.sql' {
  const text: string
  export default text
}
declare module '*.md' {
  const text: string
  export default text
}
declare module '*.html' {
  const text: string
  export default text
}
declare module '*.css' {
  const text: string
  export default text
}
declare module '*.csv' {
  const text: string
  export default text
}
declare module '*.xml' {
  const text: string
  export default text
}
declare module '*.yaml' {
  const text: string
  export default text
}
declare module '*.yml' {
  const text: string
  export default text
}
declare module '*.graphql' {
  const text: string
  export default text
}
declare module '*.svg' {
  const text: string
  export default text
}
