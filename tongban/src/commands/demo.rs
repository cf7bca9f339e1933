//! `tongban demo` (演示): all cities of the region in one process, with synthetic people.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use clap::Args;
use tb_base::{Clock, Entropy, Fault, NodeId, Result};
use tb_identity::seed;
use tb_web::DemoSettings;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::city::{City, Duty, Opening};
use crate::clock::{OsEntropy, StagedClock};
use crate::commands::{log, serve};
use crate::config::Log;
use crate::modules;
use crate::pages::demo_front::{self, DemoCity, DemoDoor};
use crate::planting::{self, Mark};
use crate::region::{CityFolder, Database, Ports, Region, prepare};

/// The exchange of a city listens this far above its site.
const EXCHANGE_OFFSET: u16 = 10;

/// Options of `demo`.
#[derive(Args)]
pub struct Options {
    /// Where the data lies; a second start keeps it.
    #[arg(long, default_value = "demo-data")]
    data: PathBuf,
    /// Throw the data away and begin anew.
    #[arg(long)]
    fresh: bool,
    /// Begin with people and licences alone: plant no cases.
    #[arg(long)]
    empty: bool,
    /// The front listens here, sites on the ports that follow, the exchange ten above each.
    #[arg(long, default_value_t = 8400)]
    port: u16,
    /// Use PostgreSQL, with a schema for each city, instead of SQLite files.
    #[arg(long)]
    database: Option<String>,
    /// Another region than the shipped one: a file like `region/region.toml`.
    #[arg(long)]
    region: Option<PathBuf>,
    /// How the schemas of the cities begin in a PostgreSQL database.
    #[arg(long, hide = true, default_value = "city_")]
    schemas: String,
    /// Drop the schemas of the cities, then end; after a headless journey.
    #[arg(long, hide = true)]
    drop_only: bool,
    /// Found the region and plant its people, then end; for the headless journey and for tests.
    #[arg(long, hide = true)]
    prepare_only: bool,
    /// Ports of the sites and exchanges, `site:exchange` each, instead of those that follow `--port`.
    #[arg(long, hide = true, value_delimiter = ',')]
    ports: Vec<String>,
    /// Run ahead of real time by so many seconds.
    #[arg(long, hide = true, allow_negative_numbers = true)]
    shift: Option<i64>,
}

/// What the demo's addresses share within one start.
#[derive(Clone)]
pub struct Settings {
    /// The cities of this process, once they are open.
    pub cities: Arc<OnceLock<Vec<DemoCity>>>,
    /// In every one-click link.
    pub token: String,
    /// The page to begin with.
    pub start_url: String,
}

impl Settings {
    /// With a token of this start.
    pub fn fresh() -> Settings {
        let mut token = [0_u8; 16];
        OsEntropy.fill(&mut token);
        Settings {
            cities: Arc::default(),
            token: tb_crypto::text::hex(&token),
            start_url: "/demo".to_owned(),
        }
    }
}

/// Runs until a signal comes.
pub async fn run(options: Options) -> Result<()> {
    log::begin(&Log { level: "warn".to_owned(), ..Log::default() });
    let region = Region::load(options.region.as_deref())?;
    if options.fresh {
        clear(&options.data, &region)?;
    }
    let ports = ports(&options, region.city.len())?;
    let clock = serve::clock(None, options.shift);
    let database = options.database.clone().map(|url| Database { url, prefix: options.schemas.clone() });
    let database = database.as_ref();
    if options.fresh || options.drop_only {
        drop_schemas(database, &region).await?;
    }
    if options.drop_only {
        return Ok(());
    }
    let ground = Ground { options: &options, region: &region, ports: &ports, database, clock: &clock };
    if !options.empty && !options.prepare_only {
        ground.plant().await?;
    }
    let folders = prepare(&options.data, &region, &ports, database, clock.now(), &mut OsEntropy)?;
    let settings = Settings::fresh();
    let cities = ground.open(&folders, &clock, Some(&settings)).await?;
    let _ = settings.cities.set(cities.iter().map(City::in_demo).collect());
    if options.prepare_only {
        for city in cities {
            city.close().await;
        }
        return Ok(());
    }
    serve_all(cities, &options, &region, &ports).await
}

/// What the cities of a demo are founded on.
struct Ground<'a> {
    options: &'a Options,
    region: &'a Region,
    ports: &'a [Ports],
    database: Option<&'a Database>,
    clock: &'a Arc<dyn Clock>,
}

impl Ground<'_> {
    /// Plants a region that is not founded yet; one that is stays as it is.
    async fn plant(&self) -> Result<()> {
        let mark = Mark::of(&self.options.data);
        if mark.is_set() {
            // What a start that was broken off has left is nobody's yet.
            clear(&self.options.data, self.region)?;
            drop_schemas(self.database, self.region).await?;
            mark.remove()?;
        }
        let nodes: Vec<NodeId> = self.region.city.iter().map(|city| city.node).collect();
        let is_founded = |node: &NodeId| self.options.data.join(node.as_str()).join("city.toml").is_file();
        if nodes.iter().any(is_founded) || !nodes.iter().all(|node| seed::is_known(*node)) {
            return Ok(());
        }
        let _ = writeln!(std::io::stdout(), "planting cases …");
        mark.set()?;
        let staged = StagedClock::at(self.clock.clone(), planting::beginning(self.clock.now()));
        let data = &self.options.data;
        let folders = prepare(data, self.region, self.ports, self.database, staged.now(), &mut OsEntropy)?;
        let clock: Arc<dyn Clock> = staged.clone();
        let cities = self.open(&folders, &clock, None).await?;
        let done = planting::plant(cities, staged).await?;
        mark.remove()?;
        let _ = writeln!(std::io::stdout(), "{} cases planted", done.cases);
        Ok(())
    }

    /// Opens every city, with its people.
    async fn open(
        &self,
        folders: &[PathBuf],
        clock: &Arc<dyn Clock>,
        settings: Option<&Settings>,
    ) -> Result<Vec<City>> {
        same_ports(&self.options.data, folders, self.ports)?;
        let mut cities = Vec::new();
        for folder in folders {
            let opening = Opening {
                folder: CityFolder::open(folder)?,
                region: self.region,
                clock: clock.clone(),
                duty: Duty::Everything,
                demo: None,
            };
            let city = open_city(opening, settings).await?;
            modules::plant(&city, self.clock.now().date()).await?;
            cities.push(city);
        }
        Ok(cities)
    }
}

async fn serve_all(cities: Vec<City>, options: &Options, region: &Region, ports: &[Ports]) -> Result<()> {
    let stop = watch::Sender::new(false);
    let front = front(options.port, ports, stop.subscribe()).await?;
    let mut running = JoinSet::new();
    for city in cities {
        running.spawn(city.run(stop.subscribe()));
    }
    announce(options, region, ports);
    let first = tokio::select! {
        signal = serve::signal() => signal.map(|()| None)?,
        ended = running.join_next() => ended,
    };
    // Whoever read the addresses may have closed the pipe since; that is no reason to fail.
    let _ = writeln!(std::io::stdout(), "stopping …");
    stop.send_replace(true);
    let mut rest = Vec::from_iter(first);
    while let Some(ended) = running.join_next().await {
        rest.push(ended);
    }
    for city in rest {
        city.map_err(|error| Fault::of("running a city", error))??;
    }
    front.await.map_err(|error| Fault::of("serving the front", error))?;
    Ok(())
}

/// Opens a city with the demo's addresses, if settings are given.
pub async fn open_city(opening: Opening<'_>, settings: Option<&Settings>) -> Result<City> {
    let Some(settings) = settings else {
        return City::open(opening, |_| Vec::new()).await;
    };
    let Settings { cities, token, start_url } = settings.clone();
    let guide = demo_front::guide(token.clone(), cities.clone());
    let demo = DemoSettings { start_url, guide: Some(guide) };
    City::open(Opening { demo: Some(demo), ..opening }, move |parts| {
        vec![
            demo_front::module(&DemoDoor { vault: parts.vault.clone(), token, cities }),
            tb_web::styleguide::module(),
        ]
    })
    .await
}

fn ports(options: &Options, cities: usize) -> Result<Vec<Ports>> {
    let given = options.ports.iter().map(|pair| {
        let parsed = pair
            .split_once(':')
            .and_then(|(site, exchange)| Some((site.parse().ok()?, exchange.parse().ok()?)));
        parsed.map(|(site, exchange)| Ports { site, exchange })
    });
    if options.ports.len() == cities {
        return given.collect::<Option<Vec<_>>>().ok_or_else(|| Fault::new("reading --ports").into());
    }
    let cities = u16::try_from(cities).unwrap_or(u16::MAX);
    let site = |at: u16| options.port.checked_add(at + 1);
    let pair = |at: u16| Some(Ports { site: site(at)?, exchange: site(at)?.checked_add(EXCHANGE_OFFSET)? });
    (0..cities)
        .map(pair)
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| Fault::new("adding ports to --port: it is too high").into())
}

/// The trust list names the ports, so data that was founded on others cannot move by itself.
fn same_ports(data: &Path, folders: &[PathBuf], ports: &[Ports]) -> Result<()> {
    for (folder, ports) in folders.iter().zip(ports) {
        let config = CityFolder::config(folder)?;
        if (config.site.port(), config.exchange.port()) != (ports.site, ports.exchange) {
            let base = config.site.port().saturating_sub(1);
            let data = data.display();
            return Err(Fault::new(format!(
                "starting on these ports: {data} was founded with --port {base}; use that, another --data, or --fresh"
            ))
            .into());
        }
    }
    Ok(())
}

/// The front's own port leads to the first city's demo page.
async fn front(
    port: u16,
    ports: &[Ports],
    mut stop: watch::Receiver<bool>,
) -> Result<tokio::task::JoinHandle<()>> {
    let socket = TcpListener::bind(("127.0.0.1", port)).await;
    let socket = socket
        .map_err(|error| Fault::of(format!("listening on port {port}; choose another by --port"), error))?;
    let target = format!("http://127.0.0.1:{}/demo", ports.first().map_or(port, |ports| ports.site));
    let router = Router::new().fallback(get(move || async move { Redirect::temporary(&target) }));
    Ok(tokio::spawn(async move {
        let stopped = async move {
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let _ = axum::serve(socket, router).with_graceful_shutdown(stopped).await;
    }))
}

/// Whoever reads may close the pipe early; that is no reason to fail.
fn announce(options: &Options, region: &Region, ports: &[Ports]) {
    let _ = write_announcement(&mut std::io::stdout(), options, region, ports);
}

fn write_announcement(
    out: &mut impl Write,
    options: &Options,
    region: &Region,
    ports: &[Ports],
) -> std::io::Result<()> {
    writeln!(out, "通办 · Tongban demo: http://127.0.0.1:{}/", options.port)?;
    writeln!(out, "data in {}; Ctrl-C stops\n", options.data.display())?;
    for (city, ports) in region.city.iter().zip(ports) {
        let (node, name, app) = (city.node, &city.name, &city.app);
        writeln!(
            out,
            "{node} {name} · {app}: http://127.0.0.1:{}/  (exchange {})",
            ports.site, ports.exchange
        )?;
        for account in seed::demo_accounts(city.node) {
            writeln!(out, "    {:<22} {:<6} {}", account.login, account.name, account.what_to_do_en)?;
        }
    }
    writeln!(
        out,
        "\nevery account: password {}; or sign in by one click on the front page",
        seed::DEMO_PASSWORD
    )
}

/// Removes the folders of the cities, and nothing else: `--data` may be somebody's home.
fn clear(data: &Path, region: &Region) -> Result<()> {
    for city in &region.city {
        let folder = data.join(city.node.as_str());
        if folder.join("city.toml").is_file() {
            std::fs::remove_dir_all(&folder)
                .map_err(|error| Fault::of(format!("removing {}", folder.display()), error))?;
        }
    }
    Ok(())
}

async fn drop_schemas(database: Option<&Database>, region: &Region) -> Result<()> {
    let Some(database) = database else { return Ok(()) };
    for city in &region.city {
        tb_store::drop_schema(&database.url, &database.schema(city.node)).await?;
    }
    Ok(())
}
