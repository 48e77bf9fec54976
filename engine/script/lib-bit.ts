/** The library `bit` of scripts: operations on 32-bit integers, as LuaBitOp defines them. */
import type { Lua } from './lua.ts';
import type { Sandbox } from './sandbox.ts';

/** Adding it rounds a double to a whole number, halves to even. */
const ROUNDER = 2 ** 52 + 2 ** 51;

export function addBitLibrary(sandbox: Sandbox): void {
  const { lua } = sandbox;
  const { api } = lua;
  const bit = (L: number, i: number): number => toBit(api.luaL_checknumber(L, i));
  const unary = (f: (a: number) => number) => (L: number) => result(lua, L, f(bit(L, 1)));
  const shift = (f: (a: number, n: number) => number) => (L: number) =>
    result(lua, L, f(bit(L, 1), bit(L, 2) & 31));
  const fold = (f: (a: number, b: number) => number) => (L: number) => {
    let value = bit(L, 1);
    for (let i = api.lua_gettop(L); i > 1; i--) value = f(value, bit(L, i));
    return result(lua, L, value);
  };
  const functions: Record<string, (L: number) => number> = {
    tobit: unary((a) => a),
    bnot: unary((a) => ~a),
    bswap: unary((a) => (a << 24) | ((a & 0xff00) << 8) | ((a >> 8) & 0xff00) | (a >>> 24)),
    band: fold((a, b) => a & b),
    bor: fold((a, b) => a | b),
    bxor: fold((a, b) => a ^ b),
    lshift: shift((a, n) => a << n),
    rshift: shift((a, n) => a >>> n),
    arshift: shift((a, n) => a >> n),
    rol: shift((a, n) => (a << n) | (a >>> (32 - n))),
    ror: shift((a, n) => (a >>> n) | (a << (32 - n))),
    tohex: (L) => {
      const value = bit(L, 1) >>> 0;
      const wanted = api.lua_gettop(L) < 2 ? 8 : bit(L, 2);
      const digits = Math.min(8, Math.abs(wanted));
      const text = value
        .toString(16)
        .padStart(8, '0')
        .slice(8 - digits);
      lua.pushText(L, wanted < 0 ? text.toUpperCase() : text);
      return 1;
    },
  };
  api.lua_createtable(lua.L, 0, 12);
  for (const [name, f] of Object.entries(functions)) sandbox.setFunction(name, f);
  sandbox.setGlobal('bit');
}

function result(lua: Lua, L: number, value: number): number {
  lua.api.lua_pushnumber(L, value | 0);
  return 1;
}

function toBit(value: number): number {
  return (value + ROUNDER - ROUNDER) | 0;
}
