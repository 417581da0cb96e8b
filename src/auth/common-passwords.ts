/**
 * What people choose first, folded to lower case without accents: whole passwords, and the words they build them from.
 * Our own list, put together for Mexico: the well-known worst passwords in English and Spanish, first names, football
 * clubs, cities, and the vocabulary of an accountant's office.
 */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  `
  password passwd passw0rd contrasena contrasenia contrasegna clave claves acceso accesos secreto secreta secret
  administrator administrador administracion admin adminadmin root toor superuser supervisor usuario usuarios
  user username guest invitado invitada test testing prueba pruebas demo temporal temporales cambiame changeme changeit
  default defecto inicio iniciar entrar entrada login welcome bienvenido bienvenida bienvenidos hola holahola
  holamundo hello helloworld letmein dejameentrar abrete sesamo abretesesamo opensesame trustno1 access master maestro
  qwerty qwertyuiop qwert asdf asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc wsxedc 1qaz2wsx 1q2w3e4r 1q2w3e4r5t
  q1w2e3r4 zaq12wsx abc123 a1b2c3d4 123qwe qwe123 asd123 qweasd qweasdzxc 123abc abcd1234 aa123456 123456a
  1234 12345 123456 1234567 12345678 123456789 1234567890 123123 123321 654321 987654321 112233 121212 131313 696969
  iloveyou teamo teamomucho tequiero tequieromucho amor amormio miamor amorcito corazon mivida vida bebe bebito
  princesa princess reina rey bonita bonito hermosa hermoso preciosa linda lindo gordo gorda flaco flaca chiquita
  sunshine monkey dragon shadow superman batman spiderman pokemon naruto goku minecraft fortnite starwars matrix
  football baseball basketball soccer hockey futbol futbolista golazo campeon campeones estrella estrellas
  freedom libertad whatever nothing nada cualquiera computer computadora internet windows windows10 microsoft google
  facebook instagram whatsapp youtube netflix amazon samsung android iphone apple linux ubuntu oracle mysql postgres
  killer hunter ranger mustang ferrari mercedes porsche harley yamaha honda toyota nissan tsuru vocho
  summer verano winter invierno otono primavera spring autumn sunday monday friday domingo lunes martes miercoles
  jueves viernes sabado enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
  january february march april june july august september october november december
  mexico mexicano mexicana vivamexico vivamexicocabrones vivalavida cielito cielitolindo guadalupe lupita virgen
  virgencita jesus jesucristo jesusmeama jesusteama cristo cristorey dios diosesamor diosmio diosesbueno angel angeles
  angelito sanjudas judastadeo padrenuestro avemaria bendicion bendiciones gracias esperanza milagro milagros navidad
  america aguilas clubamerica chivas chivashermosas guadalajara pumas cruzazul cruz azul tigres rayados monterrey
  toluca diablos diablosrojos santos laguna atlas leon necaxa pachuca tuzos puebla queretaro gallos tijuana xolos
  mazatlan juarez bravos atlante barcelona realmadrid madrid arsenal chelsea liverpool juventus messi ronaldo
  tecate corona tequila mezcal cerveza chocolate tacos pozole mole tamales chilaquiles enchiladas aguacate guacamole
  ciudad ciudaddemexico cdmx distrito tlalpan coyoacan cuernavaca morelia oaxaca veracruz merida cancun yucatan
  tampico acapulco zacatecas durango culiacan sinaloa sonora hermosillo chihuahua saltillo torreon coahuila tabasco
  villahermosa chiapas tuxtla campeche colima tepic nayarit jalisco zapopan tlaquepaque michoacan hidalgo aguascalientes
  aguas calientes guanajuato celaya irapuato salamanca sanluis potosi queretaro tlaxcala morelos guerrero puertovallarta
  maria mariajose marialuisa mariafernanda josemaria jose josejose joseluis juan juancarlos juanito juanpablo pedro
  pedrito pablo pablito luis luisito luisa carlos carlitos carla miguel miguelangel manuel manolo fernando fernanda
  francisco francisca pancho paco alejandro alejandra alex alexander alexandra andrea andres antonio antonia toño
  roberto roberta ricardo eduardo lalo gerardo guillermo memo gustavo hector hugo ignacio nacho ivan jaime javier
  jorge jorgito josue julian julio julieta karina karla katia laura leonardo leticia lety lorena lucia luz
  marco marcos margarita mariana marina mario marisol marta martha martin martinez mauricio mayra mercedes monica
  natalia nicolas norma olga omar oscar patricia paty paola paulina perla rafael ramon raquel raul rebeca regina rocio
  rodrigo rosa rosario ruben samuel sandra santiago sara sergio silvia sofia sonia susana teresa valentina valeria
  vanessa veronica victor victoria viridiana ximena yolanda adrian adriana alberto alfredo alicia alma ana anita
  araceli arturo beatriz blanca brenda camila carmen carolina cecilia cesar claudia cristina daniel daniela david
  diana diego elena elizabeth emilio emiliano enrique erika esteban esther eva fabiola felipe gabriel gabriela
  garcia gonzalez hernandez lopez perez rodriguez sanchez ramirez flores gomez torres diaz vazquez cruz morales
  reyes gutierrez ortiz ramos castillo chavez mendoza ruiz jimenez rivera romero moreno medina aguilar herrera
  michael jennifer jessica ashley charlie daniel thomas robert jordan michelle amanda andrew joshua matthew anthony
  william joseph george nicole hannah samantha justin brandon taylor maggie ginger pepper buster tigger snoopy
  garfield mickey minnie pikachu nemo simba perro perrito gato gatito firulais rocky princesita muneca conejo tigre
  leoncito caballo caballito mariposa delfin pajaro panda
  empresa empresas compania negocio oficina despacho contador contadora contadores contable contabilidad contaduria
  auditor auditoria factura facturas facturacion facturar fiscal fiscales impuesto impuestos hacienda satmexico
  servicio servicios tributaria nomina nominas recibo recibos cliente clientes proveedor proveedores ventas compras
  gerente gerencia director direccion direcciongeneral recursos humanos recursoshumanos sistemas soporte tecnologia
  finanzas tesoreria cobranza banco bancos banamex bancomer banorte santander hsbc bbva dinero pesos millonario rico
  horux horux360 cfdi fiel efirma firma electronica certificado timbre timbrado declaracion declaraciones anual mensual
  correo correos gmail hotmail outlook yahoo email mail secretaria secretario licenciado licenciada ingeniero
  ingeniera familia familiar mama papa mamapapa mamita papito hijo hija hijos hermano hermana abuela abuelo casa
  micasa escuela universidad unam politecnico tecnologico prepa secundaria colegio maestra profesor
  porfavor nomeacuerdo olvide laolvide nolase notengo noseolvide quetal quetalestas comoestas buenosdias buenastardes
  buenasnoches vamos vamonos orale ándale andale chingon chingona chingones cabron pendejo pinche puto puta mierda
  fuckyou fuck shit sexy sexo caliente jejeje jajaja jajajaja blink182 metallica nirvana slipknot luismiguel vicente
  vicentefernandez josealfredo timbiriche elchavo chavodelocho chespirito cantinflas pedroinfante fridakahlo
  correcthorsebatterystaple correct horse battery staple correcto caballocorrecto
  zxcvb poiuy poiuytrewq lkjhgf mnbvcxz asdfg asdfasdf qwerqwer qwer qwertz azerty 0987654321 098765 7777777 88888888
  0123456789 147258369 159753 741852963 789456123 789456 456789 258456 147258 963852741 11223344 1122334455 102030
  10203040 101010 111222 123654 159357 246810 13579 2468 24681012 1a2b3c4d 1234qwer qwer1234 pass1234 passpass
  pa55word pa55w0rd p455w0rd mypassword miclave micontrasena minueva nueva nuevaclave nuevacontrasena otraclave
  passwordpassword claveclave supersecreto supersecreta topsecret ultrasecreto confidencial privado privada
  `
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .trim()
    .split(/\s+/),
)
