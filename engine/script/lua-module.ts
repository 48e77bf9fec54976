/**
 * Shell: finds and compiles the WebAssembly module of PUC Lua 5.1 (package wasmoon-lua5.1).
 *
 * In an image it lies beside the bundle; in a checkout, in node_modules. Only the module is taken of
 * the package: its JavaScript would bring a file system and the environment into the sandbox.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const LUA_MODULE_FILE = 'liblua5.1.wasm';

let compiled: WebAssembly.Module | null = null;

/** The module, compiled once per process. Throws when its file is missing. */
export function loadLuaModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(luaModulePath()));
  return compiled;
}

function luaModulePath(): string {
  const beside = join(dirname(fileURLToPath(import.meta.url)), LUA_MODULE_FILE);
  if (existsSync(beside)) return beside;
  const entry = createRequire(import.meta.url).resolve('wasmoon-lua5.1');
  return join(dirname(entry), LUA_MODULE_FILE);
}
