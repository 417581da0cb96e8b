import { createHash } from 'node:crypto'
import { html, render } from '../../../html.ts'

/** One sheet for all pages, inside each: they ask for nothing else, not even from here. */
export const STYLE = html`
:root{color-scheme:light dark;--fondo:#f3f5f8;--papel:#fff;--tinta:#16213a;--tenue:#5b6478;--linea:#e0e5ec;--marca:#0b6e69;
--sobre-marca:#fff;--elegido:#e6f2f1;--aviso:#fff4dc;--aviso-linea:#c98a00;--mal:#b3261e;--mal-fondo:#fdecea;--bien-fondo:#e3f4e8;--bien:#17663a}
@media (prefers-color-scheme:dark){:root{--fondo:#10151f;--papel:#181f2c;--tinta:#e6eaf2;--tenue:#9aa5b8;--linea:#2b3445;
--marca:#4fc0b8;--sobre-marca:#0c1a1c;--elegido:#1d3138;--aviso:#3a2f14;--aviso-linea:#d9a63a;--mal:#ff9d94;--mal-fondo:#3a1d1c;
--bien-fondo:#17301f;--bien:#8fd6a8}}
*{box-sizing:border-box}
body{margin:0;background:var(--fondo);color:var(--tinta);font:15px/1.5 -apple-system,"Segoe UI",Roboto,"Liberation Sans",Helvetica,Arial,sans-serif}
a{color:var(--marca)}
:focus-visible{outline:2px solid var(--marca);outline-offset:2px}
header{display:flex;flex-wrap:wrap;gap:4px 24px;align-items:baseline;justify-content:space-between;padding:12px 24px;background:var(--papel);border-bottom:1px solid var(--linea)}
header p{margin:0;font-size:13px;color:var(--tenue)}
.marca{font-size:17px;font-weight:700;color:var(--tinta);text-decoration:none}
.marca span{font-weight:400;font-size:15px;color:var(--tenue);margin-left:8px}
main{max-width:1240px;margin:0 auto;padding:20px 24px 60px}
main.angosta{max-width:520px;padding-top:36px}
.tarjeta{background:var(--papel);border:1px solid var(--linea);border-radius:12px;padding:20px 24px;margin:0 0 20px}
h1{font-size:22px;line-height:1.3;margin:0 0 6px;overflow-wrap:anywhere}
h2{font-size:16px;margin:0 0 12px}
h2 small{font-weight:400;color:var(--tenue);font-size:13px;margin-left:6px}
.tenue{color:var(--tenue)}
.monto{font-size:30px;font-weight:700;font-variant-numeric:tabular-nums;margin:4px 0 2px}
.codigo,code,textarea{font-family:ui-monospace,"Liberation Mono",monospace;font-size:12.5px;overflow-wrap:anywhere}
.aviso,.error,.exito{border-radius:10px;padding:10px 14px;margin:0 0 16px;border:1px solid var(--aviso-linea);background:var(--aviso)}
.error{border-color:var(--mal);background:var(--mal-fondo)}
.exito{border-color:var(--bien);background:var(--bien-fondo)}
label{display:block;font-size:13px;color:var(--tenue)}
input,select,button,textarea,.boton{font:inherit;font-size:14px;color:inherit;min-height:34px;border:1px solid var(--linea);border-radius:8px;background:var(--papel);padding:4px 10px}
textarea{width:100%;min-height:220px;font-family:ui-monospace,"Liberation Mono",monospace;font-size:12.5px}
button,.boton{cursor:pointer;text-decoration:none;display:inline-block;line-height:24px}
button:hover,.boton:hover{border-color:var(--marca)}
button.principal{background:var(--marca);border-color:var(--marca);color:var(--sobre-marca);font-weight:600}
button.peligro{color:var(--mal)}
.campo{margin:0 0 14px}
.campo input,.campo select{width:100%;margin-top:3px;font-size:15px;min-height:40px}
.apilado{display:grid;gap:8px;margin-top:12px}
.apilado button,.apilado .boton{width:100%;min-height:42px;text-align:center;line-height:32px}
.fila{display:flex;flex-wrap:wrap;gap:6px;align-items:center;margin:0}
.rejilla{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:10px 14px;margin-bottom:12px}
.rejilla input,.rejilla select{width:100%}
.reloj{display:flex;flex-wrap:wrap;gap:8px 18px;align-items:center;justify-content:space-between}
.reloj time{font-size:22px;font-weight:650;font-variant-numeric:tabular-nums}
.tabla{overflow-x:auto;margin:0 -24px;padding:0 24px}
table{border-collapse:collapse;width:100%;font-size:14px}
th{text-align:left;font-weight:500;font-size:12.5px;color:var(--tenue);padding:4px 14px 6px 0;white-space:nowrap;border-bottom:1px solid var(--linea)}
td{padding:9px 14px 9px 0;border-bottom:1px solid var(--linea);vertical-align:top}
tr:last-child td{border-bottom:0}
td.numero{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td small{display:block;color:var(--tenue);font-size:12.5px}
td .fila input,td .fila select,td .fila button,td .fila .boton{min-height:30px;font-size:13px;padding:1px 8px}
td select{max-width:200px}
td small{white-space:nowrap}
td small.codigo{white-space:normal}
.ficha{display:inline-block;border-radius:99px;padding:0 9px;font-size:12.5px;line-height:21px;background:var(--fondo);border:1px solid var(--linea);white-space:nowrap}
.ficha.bien{background:var(--bien-fondo);color:var(--bien);border-color:transparent}
.ficha.mal{background:var(--mal-fondo);color:var(--mal);border-color:transparent}
.ficha.espera{background:var(--aviso);border-color:transparent}
details{margin-top:4px}
summary{cursor:pointer;color:var(--tenue);font-size:14px}
details[open] summary{margin-bottom:12px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 16px;margin:0 0 12px}
dt{color:var(--tenue)}dd{margin:0;overflow-wrap:anywhere}
@media (max-width:600px){header,main{padding-inline:16px}.tarjeta{padding:16px}.tabla{margin:0 -16px;padding:0 16px}}
`

/** Nothing but that sheet and our own forms. A form that ends elsewhere is not ours: leaving is done by a link. */
export const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(render(STYLE)).digest('base64')}'`,
  "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
].join('; ')
