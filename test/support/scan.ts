/**
 * A small scanner of TypeScript text: enough to tell code from comments and strings, so that an architecture rule does
 * not trip over a sentence. Positions are kept: every view has the length of the text.
 */
export interface Scanned {
  /** The text with comments blanked. */
  readonly withStrings: string;
  /** The text with comments and the inside of strings, templates and regular expressions blanked. */
  readonly code: string;
}

const REGEX_MAY_FOLLOW =
  /(?:^|[=(,:;!&|?{}[+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|yield|await|throw))\s*$/u;

export const scan = (text: string): Scanned => {
  const withStrings = text.split('');
  const code = text.split('');
  const blank = (view: string[], from: number, to: number): void => {
    for (let at = from; at < to; at += 1) if (view[at] !== '\n') view[at] = ' ';
  };
  /** Depths of braces at which a template's `${` closes. */
  const templates: number[] = [];
  let depth = 0;
  let at = 0;

  const endOfTemplate = (from: number): number => {
    let end = from;
    while (end < text.length && text[end] !== '`' && !text.startsWith('${', end)) end += text[end] === '\\' ? 2 : 1;
    return end;
  };
  const readTemplate = (from: number): void => {
    const end = endOfTemplate(from);
    blank(code, from, end);
    if (text.startsWith('${', end)) {
      templates.push(depth);
      at = end + 2;
    } else at = end + 1;
  };

  while (at < text.length) {
    const char = text[at] ?? '';
    if (text.startsWith('//', at) || text.startsWith('/*', at)) {
      const found = text[at + 1] === '/' ? text.indexOf('\n', at) : text.indexOf('*/', at + 2) + 2;
      const end = found < at + 2 ? text.length : found;
      blank(withStrings, at, end);
      blank(code, at, end);
      at = end;
    } else if (char === "'" || char === '"') {
      let end = at + 1;
      while (end < text.length && text[end] !== char && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1;
      blank(code, at + 1, end);
      at = end + 1;
    } else if (char === '`') {
      readTemplate(at + 1);
    } else if (char === '}' && templates.at(-1) === depth) {
      templates.pop();
      readTemplate(at + 1);
    } else if (char === '/' && REGEX_MAY_FOLLOW.test(code.slice(Math.max(0, at - 24), at).join(''))) {
      let end = at + 1;
      for (let inClass = false; end < text.length && text[end] !== '\n' && (inClass || text[end] !== '/');) {
        if (text[end] === '[') inClass = true;
        else if (text[end] === ']') inClass = false;
        end += text[end] === '\\' ? 2 : 1;
      }
      blank(code, at + 1, end);
      at = end + 1;
    } else {
      if (char === '{') depth += 1;
      else if (char === '}') depth -= 1;
      at += 1;
    }
  }
  return { withStrings: withStrings.join(''), code: code.join('') };
};

const IMPORT = /\b(?:import|export)\b(?:[^'"`;()=]*?\bfrom\b)?\s*(['"])|\bimport\s*\(\s*(['"])/gu;

/** Specifiers of every static, dynamic, type-only and re-exporting import. */
export const importsOf = (text: string): readonly string[] => {
  const { code, withStrings } = scan(text);
  const found = [...code.matchAll(IMPORT)].map((match) => {
    const start = match.index + match[0].length;
    return withStrings.slice(start, code.indexOf(match[1] ?? match[2] ?? '', start));
  });
  return [...new Set(found)];
};

/** Names that a module exports; `* from './x.ts'` comes back as it is written. */
export const exportsOf = (text: string): readonly string[] => {
  const { code, withStrings } = scan(text);
  const names: string[] = [];
  for (const match of code.matchAll(/\bexport\s+(?:type\s+)?\{([^}]*)\}/gu)) {
    for (const part of (match[1] ?? '').split(',')) {
      const name = part
        .trim()
        .replace(/^type\s+/u, '')
        .split(/\s+as\s+/u)
        .at(-1);
      if (name !== undefined && name !== '') names.push(name);
    }
  }
  const declared =
    /\bexport\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:const|let|function\*?|class|interface|type|enum)\s+([\w$]+)/gu;
  for (const match of code.matchAll(declared)) if (match[1] !== undefined) names.push(match[1]);
  for (const match of code.matchAll(/\bexport\s+(?:type\s+)?\*\s+from\s+(['"])/gu)) {
    const start = match.index + match[0].length;
    names.push(`* from ${withStrings.slice(start, code.indexOf(match[1] ?? '', start))}`);
  }
  return [...new Set(names)].sort();
};
