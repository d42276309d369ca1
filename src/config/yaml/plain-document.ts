/**
 * A reader for documents as nearly everybody writes them: block maps and lists, scalars and flow collections that end on their line, ASCII.
 * It takes less than half of the time of a parser of all of YAML, which reads whatever this one does not know: anchors, tags, block scalars,
 * escapes, scalars of several lines, keys that are no names, and everything that is wrong.
 */
import { resolveScalar, STRING } from './resolve-scalar.ts';

/** Makes something of what is read. Offsets are UTF-16 units from the document's start; `end` is behind the last character. */
export interface PlainMaker<Node, Map extends Node, List extends Node> {
  plain(text: string, start: number, end: number): Node;
  /** The quotes are within. */
  quoted(text: string, start: number, end: number): Node;
  /** A key without a value. @param at where the key begins */
  empty(at: number): Node;
  map(start: number): Map;
  /** False when the map may not have it: the document is not read then. */
  put(map: Map, name: string, keyStart: number, keyEnd: number, value: Node): boolean;
  list(start: number): List;
  push(list: List, value: Node): void;
}

/** What the maker makes of the document; undefined when it is written in any other way. Never throws. */
export function readPlainDocument<Node, Map extends Node, List extends Node>(
  text: string,
  maker: PlainMaker<Node, Map, List>,
): Node | undefined {
  if (OTHER_CHARACTERS.test(text)) return undefined;
  try {
    return new PlainReader(text, maker).document();
  } catch (error) {
    if (error === NOT_PLAIN) return undefined;
    throw error;
  }
}

/** Thrown as it is: an error would take its time to write down where it comes from. */
const NOT_PLAIN: unique symbol = Symbol('not a plain document');

/** Tabs are among them, which YAML allows in few places, and line ends other than `\n`. */
const OTHER_CHARACTERS = /[^\n\x20-\x7e]/;

/** Collections inside collections; the parser of all of YAML has the word on deeper ones. */
const DEPTH = 50;

const [NEWLINE, SPACE, HASH, COLON, DASH, COMMA] = [10, 32, 35, 58, 45, 44];
const [DOUBLE_QUOTE, SINGLE_QUOTE, BACKSLASH, MAP_BEGIN, MAP_END, LIST_BEGIN, LIST_END] = [34, 39, 92, 123, 125, 91, 93];

const KEY_START = 1;
const KEY = 2;
const PLAIN_START = 4;
/** May stand anywhere in a plain scalar, be it in a flow collection or not. */
const PLAIN = 8;
/** Of ASCII characters. */
const CLASSES = new Uint8Array(128);
for (let code = 33; code < 127; code++) {
  const character = String.fromCharCode(code);
  if (/[A-Za-z_/]/.test(character)) CLASSES[code]! |= KEY_START;
  if (/[\w./-]/.test(character)) CLASSES[code]! |= KEY;
  if (!'-?:,[]{}#&*!|>\'"%@`'.includes(character)) CLASSES[code]! |= PLAIN_START;
  if (!':,[]{}#'.includes(character)) CLASSES[code]! |= PLAIN;
}

class PlainReader<Node, Map extends Node, List extends Node> {
  private readonly text: string;
  private readonly maker: PlainMaker<Node, Map, List>;
  /** The first character of the line that comes next, or of what follows a `- ` in it, and its column; -1 behind the last line. */
  private at = 0;
  private column = 0;
  /** Behind what was read last, on its line. */
  private end = 0;
  private depth = 0;

  constructor(text: string, maker: PlainMaker<Node, Map, List>) {
    this.text = text;
    this.maker = maker;
  }

  document(): Node {
    this.lineFrom(0);
    if (this.column === 0 && this.text.startsWith('---', this.at)) {
      this.end = this.at + 3;
      this.nextLine();
    }
    if (this.column < 0) throw NOT_PLAIN;
    const node = this.block();
    if (this.column >= 0) throw NOT_PLAIN;
    return node;
  }

  /** Goes on from the start of a line to the next one that has something on it. */
  private lineFrom(start: number): void {
    const { text } = this;
    for (let lineStart = start; lineStart < text.length; ) {
      const at = this.spacesFrom(lineStart);
      const code = text.charCodeAt(at);
      if (at < text.length && code !== NEWLINE && code !== HASH) {
        this.at = at;
        this.column = at - lineStart;
        return;
      }
      const newline = code === NEWLINE ? at : text.indexOf('\n', at);
      if (newline === -1) break;
      lineStart = newline + 1;
    }
    this.at = text.length;
    this.column = -1;
  }

  /** Goes on to the next line. Nothing but a comment may follow what was read last. */
  private nextLine(): void {
    const { text } = this;
    let at = this.spacesFrom(this.end);
    if (at < text.length && text.charCodeAt(at) !== NEWLINE) {
      if (text.charCodeAt(at) !== HASH || at === this.end) throw NOT_PLAIN;
      at = text.indexOf('\n', at);
      if (at === -1) at = text.length;
    }
    this.lineFrom(at + 1);
  }

  private block(): Node {
    return this.text.charCodeAt(this.at) === DASH ? this.blockList(false) : this.blockMap();
  }

  private blockMap(): Map {
    const { text, maker, column } = this;
    if (++this.depth > DEPTH) throw NOT_PLAIN;
    const map = maker.map(this.at);
    while (this.column === column) {
      const keyStart = this.at;
      const keyEnd = this.keyEnd(keyStart);
      if (keyEnd === -1) throw NOT_PLAIN;
      const name = this.name(keyStart, keyEnd);
      this.end = keyEnd + 1;
      const at = this.spacesFrom(keyEnd + 1);
      let value: Node;
      if (at < text.length && text.charCodeAt(at) !== NEWLINE && text.charCodeAt(at) !== HASH) {
        value = this.inline(at, column);
      } else {
        this.nextLine();
        if (this.column > column) value = this.block();
        else if (this.column === column && text.charCodeAt(this.at) === DASH) value = this.blockList(true);
        else value = maker.empty(keyStart);
      }
      if (!maker.put(map, name, keyStart, keyEnd, value)) throw NOT_PLAIN;
    }
    if (this.column > column) throw NOT_PLAIN;
    this.depth--;
    return map;
  }

  /** @param ofKey it stands in the column of its key, which other keys may follow */
  private blockList(ofKey: boolean): List {
    const { text, maker, column } = this;
    if (++this.depth > DEPTH) throw NOT_PLAIN;
    const list = maker.list(this.at);
    while (this.column === column && text.charCodeAt(this.at) === DASH) {
      if (text.charCodeAt(this.at + 1) !== SPACE) throw NOT_PLAIN;
      const at = this.spacesFrom(this.at + 1);
      if (this.keyEnd(at) === -1) {
        maker.push(list, this.inline(at, column));
      } else {
        this.column += at - this.at;
        this.at = at;
        maker.push(list, this.blockMap());
      }
    }
    if (this.column > column || (this.column === column && !ofKey)) throw NOT_PLAIN;
    this.depth--;
    return list;
  }

  /** The end of a key of a block map that begins there: where its colon stands; -1 when there is none. */
  private keyEnd(start: number): number {
    const { text } = this;
    if (!(CLASSES[text.charCodeAt(start)]! & KEY_START)) return -1;
    let at = start + 1;
    while (CLASSES[text.charCodeAt(at)]! & KEY) at++;
    if (text.charCodeAt(at) !== COLON) return -1;
    const after = text.charCodeAt(at + 1);
    return after === SPACE || after === NEWLINE || at + 1 === text.length ? at : -1;
  }

  /** A key that is a string, whoever reads it. */
  private name(start: number, end: number): string {
    const name = this.text.slice(start, end);
    if (resolveScalar(name) !== STRING || name === '__proto__') throw NOT_PLAIN;
    return name;
  }

  /** A value that ends on its line, and goes on to the next. @param column of the collection that it is in: what is further in belongs to it */
  private inline(start: number, column: number): Node {
    const value = this.bracketed(start) ?? this.plain(start);
    this.nextLine();
    if (this.column > column) throw NOT_PLAIN;
    return value;
  }

  /** What quotes or brackets are around; undefined when there are none. */
  private bracketed(start: number): Node | undefined {
    const code = this.text.charCodeAt(start);
    if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) return this.quoted(start);
    return code === MAP_BEGIN || code === LIST_BEGIN ? this.flow(start) : undefined;
  }

  private plain(start: number): Node {
    const { text } = this;
    this.mayStart(start);
    let end = start + 1;
    for (let at = end; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE) break;
      if (code === SPACE) continue;
      if (code === HASH && text.charCodeAt(at - 1) === SPACE) break;
      if (code === COLON && !(text.charCodeAt(at + 1) > SPACE)) throw NOT_PLAIN;
      end = at + 1;
    }
    this.end = end;
    return this.maker.plain(text, start, end);
  }

  /** Throws when no plain scalar begins so; `-` does when a word or a number follows. */
  private mayStart(start: number): void {
    const code = this.text.charCodeAt(start);
    if (CLASSES[code]! & PLAIN_START) return;
    if (code !== DASH || !(CLASSES[this.text.charCodeAt(start + 1)]! & KEY) || this.text.charCodeAt(start + 1) === DASH) throw NOT_PLAIN;
  }

  private quoted(start: number): Node {
    const { text } = this;
    const quote = text.charCodeAt(start);
    let at = start + 1;
    for (; ; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) break;
      if (at >= text.length || code === NEWLINE || code === BACKSLASH) throw NOT_PLAIN;
    }
    // One that is doubled stands for itself.
    if (text.charCodeAt(at + 1) === quote) throw NOT_PLAIN;
    this.end = at + 1;
    return this.maker.quoted(text, start, at + 1);
  }

  private flow(start: number): Node {
    if (++this.depth > DEPTH) throw NOT_PLAIN;
    const node = this.text.charCodeAt(start) === MAP_BEGIN ? this.flowMap(start) : this.flowList(start);
    this.depth--;
    return node;
  }

  private flowMap(start: number): Map {
    const { text, maker } = this;
    const map = maker.map(start);
    let at = this.spacesFrom(start + 1);
    while (text.charCodeAt(at) !== MAP_END) {
      const keyEnd = this.keyEnd(at);
      if (keyEnd === -1) throw NOT_PLAIN;
      const value = this.flowValue(this.spacesFrom(keyEnd + 1));
      if (!maker.put(map, this.name(at, keyEnd), at, keyEnd, value)) throw NOT_PLAIN;
      at = this.afterComma(MAP_END);
    }
    this.end = at + 1;
    return map;
  }

  private flowList(start: number): List {
    const { text, maker } = this;
    const list = maker.list(start);
    let at = this.spacesFrom(start + 1);
    while (text.charCodeAt(at) !== LIST_END) {
      maker.push(list, this.flowValue(at));
      at = this.afterComma(LIST_END);
    }
    this.end = at + 1;
    return list;
  }

  private spacesFrom(start: number): number {
    let at = start;
    while (this.text.charCodeAt(at) === SPACE) at++;
    return at;
  }

  /** Where the next entry begins, or the collection ends. */
  private afterComma(close: number): number {
    const at = this.spacesFrom(this.end);
    const code = this.text.charCodeAt(at);
    if (code === close) return at;
    const next = this.spacesFrom(at + 1);
    if (code !== COMMA || this.text.charCodeAt(next) === close) throw NOT_PLAIN;
    return next;
  }

  private flowValue(start: number): Node {
    return this.bracketed(start) ?? this.plainInFlow(start);
  }

  private plainInFlow(start: number): Node {
    const { text } = this;
    this.mayStart(start);
    let end = start + 1;
    for (let at = end; at < text.length; at++) {
      const next = text.charCodeAt(at);
      if (next === SPACE) continue;
      if (next === COMMA || next === MAP_END || next === LIST_END) break;
      if (!(CLASSES[next]! & PLAIN) && !(next === COLON && CLASSES[text.charCodeAt(at + 1)]! & KEY)) throw NOT_PLAIN;
      end = at + 1;
    }
    this.end = end;
    return this.maker.plain(text, start, end);
  }
}
