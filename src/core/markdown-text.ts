/** Names that people chose, as one line of plain text: no Markdown, HTML or table cell of theirs. */
export function markdownText(text: string): string {
  return text
    .replace(/\s+/gu, ' ')
    .trim()
    .replace(/[\\`*_{}[\]()<>#+!|~&:$^-]/g, '\\$&');
}
