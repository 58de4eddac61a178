# Copyright 2026 the registry_io authors
# Distributed under the Boost Software License, Version 1.0.
# (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
# SPDX-License-Identifier: BSL-1.0

# Builds the manual: a site of pages, or one HTML file.
#
# usage: ruby build.rb --out DIR [--one-file] [--lunr lunr.min.js]
#
# doc/pages.txt lists the pages in order. doxygen extracts the reference pages from the doc
# comments. A page links to another one by id (`<<id>>` or `<<id,text>>`); ids are unique in the
# whole manual. The build fails if a reference has no target, an id is used twice, an include or tag
# is missing, a line of code is wider than its column, or AsciiDoc would take a `++` for markup.

require 'asciidoctor'
require 'cgi'
require 'fileutils'
require 'json'
require 'optparse'
require 'rouge'
require_relative 'reference'

module Site
  DOC = File.expand_path('..', __dir__)
  COLUMNS = 100 # the width of a line of code

  # A page of the manual. `html` is the content between navigation and footer.
  Page = Struct.new(:stem, :title, :group, :html, :source, :short, keyword_init: true) do
    def nav_title = short || title
  end

  class << self
    # The page and the title of each id: `{id => [stem, title]}`.
    attr_reader :targets
    # The targets of links from inline code: `{name => id}`.
    attr_reader :symbols
    attr_reader :problems
    attr_accessor :one_file, :current

    def reset
      @targets = {}
      @symbols = {}
      @problems = []
    end

    def problem(text) = (@problems << text unless @problems.include?(text))

    def url(id)
      return "##{id}" if one_file || targets[id][0] == current
      stem = targets[id][0]
      "#{stem}.html#{"##{id}" unless id == stem}"
    end

    def define(id, stem, title)
      if targets.key?(id)
        problem "#{stem}: the id '#{id}' is already used by page #{targets[id][0]}; " \
                "give the heading an id of its own, [#id]"
      else
        targets[id] = [stem, title]
      end
    end

    # Links from code use only the name: `registry_io::panic::collect<2>` is panic::collect.
    def symbol(code)
      name = CGI.unescapeHTML(code).sub(/\A(registry_io|rio)::/, '').sub(/<.*>\z/, '').sub(/\(.*\)\z/, '')
      symbols[name]
    end
  end

  def self.plain(html) = html.gsub(/<[^>]*>/, '')

  # Converts AsciiDoc to HTML, with the headings, links and tables of this site.
  class Converter < (Asciidoctor::Converter.for 'html5')
    register_for 'html5'

    def convert_section(node)
      id, title = node.id, node.title
      return "<h1 id=\"#{id}\">#{title}</h1>\n#{node.content}" if node.level == 1
      "<h#{node.level} id=\"#{id}\">#{title}" \
        "<a class=\"anchor\" href=\"##{id}\" aria-label=\"Link to this section\">#</a></h#{node.level}>\n#{node.content}"
    end

    def convert_inline_anchor(node)
      return super unless node.type == :xref
      id = node.attributes['refid'] || node.target.delete_prefix('#')
      unless Site.targets.key?(id)
        Site.problem "#{Site.current}.adoc: nothing in the manual has the id '#{id}'"
        return id.to_s
      end
      text = (node.text || Site.targets[id][1]).gsub(%r{</?a\b[^>]*>}, '')
      "<a href=\"#{Site.url id}\">#{text}</a>"
    end

    def convert_inline_quoted(node)
      html = super
      return html unless node.type == :monospaced && (id = Site.symbol(node.text))
      return html if Site.targets[id][0] == Site.current
      "<a class=\"ref\" href=\"#{Site.url id}\">#{html}</a>"
    end

    def convert_table(node) = "<div class=\"scroll\" tabindex=\"0\">#{super}</div>"

    def convert_listing(node)
      check_width node
      super.sub('<pre', '<pre tabindex="0"')
    end

    def convert_literal(node)
      check_width node
      super.sub('<pre', '<pre tabindex="0"')
    end

    def check_width(node)
      node.source.each_line do |line|
        next if line.chomp.length <= COLUMNS
        Site.problem "#{Site.current}.adoc: a line of code has more than #{COLUMNS} columns: #{line.strip[0, 60]}..."
      end
    end

    # Images are loaded only when they come into view.
    def convert_image(node) = super.sub('<img ', '<img loading="lazy" ')
  end

  # `fn:name[file.hpp]` links to the line that defines a function in that header, or in the first of
  # several headers that defines it. Many functions share a name, so other headers are not searched.
  # The header's page is added to the site.
  class Functions < Asciidoctor::Extensions::InlineMacroProcessor
    use_dsl
    named :fn
    name_positional_attributes 'file'

    def process(parent, target, attributes)
      text = "<code>#{target}</code>"
      file, line = Site.definition(target, attributes['file'])
      if file.nil?
        Site.problem "#{Site.current}.adoc: no header defines the function '#{target}' (#{attributes['file']})"
      elsif !Site.one_file
        text = "<a href=\"#{Site.source_stem file}.html#L#{line}\">#{text}</a>"
      end
      create_inline parent, :quoted, text
    end
  end
  Asciidoctor::Extensions.register { inline_macro Functions }

  ROOTS = ["#{File.expand_path '..', DOC}/include", "#{File.expand_path '..', DOC}/policies/include"].freeze

  def self.source_stem(file) = "src-#{file.sub(/\.hpp\z/, '').gsub(%r{[/.]}, '-')}"

  # Returns the header and the line that define a function, rather than a call of it.
  def self.definition(name, hints)
    @headers ||= ROOTS.flat_map { |r| Dir["#{r}/**/*.hpp"].sort.map { |f| [f.delete_prefix("#{r}/"), File.readlines(f, chomp: true)] } }
    defines = %r{\A\s*(?!return\b|else\b|//)(?:[\w:<>,&*~\[\]]+\s+)+[&*]?#{Regexp.escape name}\((?!.*;\s*(//.*)?\z)}
    named = hints.to_s.split.flat_map { |h| @headers.select { |f, _| f == h || f.end_with?("/#{h}") } }
    named.each do |file, lines|
      i = lines.index { |l| l.match? defines } or next
      (@sources ||= {})[file] ||= lines
      return [file, i + 1]
    end
    nil
  end

  # The pages of the headers that the manual links to.
  def self.source_pages
    (@sources || {}).map do |file, lines|
      formatter = Rouge::Formatters::HTML.new
      html = Rouge::Lexers::Cpp.new.lex(lines.join("\n")).then { |t| formatter.format(t) }
      numbered = html.split("\n", -1).each_with_index.map { |l, i| "<span class=\"line\" id=\"L#{i + 1}\">#{l}</span>" }
      Page.new(stem: source_stem(file), title: file, group: nil,
               html: "<h1 id=\"#{source_stem file}\">#{file}</h1>\n<pre class=\"rouge\" tabindex=\"0\"><code>#{numbered.join "\n"}</code></pre>")
    end
  end

  # `++` in prose opens a passthrough, and disappears together with the text that it was part of.
  def self.check_plus(stem, text)
    fence = nil
    text.each_line.with_index(1) do |line, number|
      bare = line.chomp
      if fence
        fence = nil if bare == fence
      elsif bare =~ /\A(-{4,}|\.{4,}|\+{4,}|\/{4,})\z/
        fence = bare
      elsif bare !~ %r{\A//} && bare.gsub(/pass:\w*\[[^\]]*\]|\{[a-z+]+\}/, '').include?('++')
        problem "#{stem}.adoc:#{number}: `++` is markup; write {cpp}, {gpp}, {clangpp} or {pp}"
      end
    end
  end

  ATTRIBUTES = {
    'idprefix' => '', 'idseparator' => '-', 'sectids' => '', 'source-highlighter' => 'rouge',
    'rouge-css' => 'class', 'source-language' => 'cpp', 'icons' => 'font', 'experimental' => '',
    'gpp' => 'g&#43;&#43;', 'clangpp' => 'clang&#43;&#43;', 'pp' => '&#43;&#43;',
    'tabsize' => '4', 'imagesdir' => '', 'table-caption!' => '', 'figure-caption!' => ''
  }.freeze

  def self.load(stem, version)
    # Included rather than read, so that a page's own includes are relative to the page.
    attributes = ATTRIBUTES.merge('revnumber' => version)
    attributes['data-uri'] = '' if one_file
    Asciidoctor.load "include::pages/#{stem}.adoc[]\n", safe: :unsafe, base_dir: DOC, attributes: attributes
  end

  # The lines of pages.txt: the name of a group, or two spaces, a page and, if its title is too long
  # for the navigation, a colon and a shorter title. `@reference` stands for the reference pages.
  def self.listed
    group = nil
    File.readlines("#{DOC}/pages.txt", chomp: true).filter_map do |line|
      next if line.empty? || line.start_with?('#')
      next (group = line) && nil unless line.start_with?('  ')
      stem, short = line.strip.split(/\s*:\s*/, 2)
      [group, stem, short]
    end
  end

  def self.pages(version, work)
    reference = Reference.new(work)
    all = listed.flat_map do |group, stem, short|
      next reference.pages if stem == '@reference'
      Page.new(stem: stem, group: group, short: short, source: File.read("#{DOC}/pages/#{stem}.adoc"))
    end
    forgotten = Dir["#{DOC}/pages/*.adoc"].map { |f| File.basename(f, '.adoc') } - all.map(&:stem)
    forgotten.each { |stem| problem "pages/#{stem}.adoc is not listed in doc/pages.txt" }

    # Defines all ids before any page links to one.
    reference.define
    all.reject(&:html).each do |page|
      self.current = page.stem
      check_plus page.stem, page.source
      doc = load page.stem, version
      first = doc.blocks.find { |b| b.context == :section }
      first or raise "#{page.stem}.adoc has no heading"
      first.id == page.stem or
        problem "#{page.stem}.adoc: the id of its first heading must be the file's name: [##{page.stem}]"
      page.title = plain first.title
      doc.catalog[:refs].each { |id, node| define id, page.stem, (node.respond_to?(:title) && node.title) || node.reftext || id }
    end
    Asciidoctor::LoggerManager.logger.clear
    all.each do |page|
      self.current = page.stem
      page.html = page.html ? reference.link(page) : verbatim(load(page.stem, version).convert)
    end
    Asciidoctor::LoggerManager.logger.messages.each do |m|
      text = m[:message].is_a?(Hash) ? "#{m[:message][:source_location]}: #{m[:message][:text]}" : m[:message]
      problem text if %i[WARN ERROR FATAL].include? m[:severity]
    end
    all
  end

  # AsciiDoc inserts arrows, ellipses and curly quotes into inline code; this restores the code.
  def self.verbatim(html)
    html.gsub(%r{<code>[^<]*</code>}) do |code|
      code.gsub('&#8594;', '-&gt;').gsub(/&#8230;(&#8203;)?/, '...').gsub('&#8217;', "'").gsub(/&#8201;&#8212;&#8201;|&#8212;/, '--')
    end
  end

  # Checks that every link within the manual has a target.
  def self.check_links(pages)
    ids = pages.to_h { |p| [p.stem, p.html.scan(/ id="([^"]+)"/).flatten] }
    pages.each do |page|
      page.html.scan(/<a [^>]*href="([^"]+)"/).flatten.each do |href|
        next if href =~ /\A(https?|mailto):/
        file, id = CGI.unescapeHTML(href).split('#', 2)
        known = one_file ? ids.values.flatten : ids[file.empty? ? page.stem : file.delete_suffix('.html')]
        problem "#{page.stem}: a link to nothing, #{href}" unless known && (id.nil? || known.include?(id))
      end
      page.html.scan(/<(?:img|script|link|iframe)[^>]*(?:src|href)="((?:https?:)?\/\/[^"]+)"/).flatten.each do |src|
        problem "#{page.stem}: loads #{src} from the network"
      end
    end
  end

  # Guides answer most searches. A member's name should find the registry first.
  def self.weight(page)
    case page.group
    when 'Get started', 'Guides' then 3
    when /\AReference: / then page.stem == 'ref-basic_registry' ? 2 : 1
    else 1.5
    end
  end

  # The data of the search: each section of each page, as text.
  def self.documents(pages)
    pages.flat_map do |page|
      page.html.split(/(?=<h[123] id=")/).filter_map do |part|
        next unless part =~ %r{\A<h[123] id="([^"]+)">(.*?)</h[123]>}m
        id, title = $1, plain($2.sub(/<a class="anchor".*?<\/a>/, ''))
        text = part.sub(%r{\A<h[123].*?</h[123]>}m, '').gsub(%r{</?(p|td|th|li|dd|dt|pre|div|br|tr)\b[^>]*>}, ' ')
        { u: "#{page.stem}.html#{"##{id}" unless id == page.stem}", t: CGI.unescapeHTML(title),
          p: CGI.unescapeHTML(page.title), w: weight(page), x: CGI.unescapeHTML(plain(text)).gsub(/\s+/, ' ').strip }
      end
    end
  end

  def self.toc(page)
    entries = page.html.scan(%r{<h([23]) id="([^"]+)">(.*?)<a class="anchor"}m)
    return '' if entries.length < 2
    items = entries.map { |level, id, title| "<li class=\"l#{level}\"><a href=\"##{id}\">#{title.gsub(%r{</?a\b[^>]*>}, '')}</a></li>" }
    "<aside class=\"toc\" aria-label=\"On this page\"><p>On this page</p><ul>#{items.join}</ul></aside>"
  end

  def self.navigation(pages, current)
    pages.chunk_while { |a, b| a.group == b.group }.map do |run|
      items = run.map do |p|
        mark = p == current ? ' aria-current="page"' : ''
        "<li><a href=\"#{one_file ? "##{p.stem}" : "#{p.stem}.html"}\"#{mark}>#{p.nav_title}</a></li>"
      end
      "<p>#{run[0].group}</p><ul>#{items.join}</ul>"
    end.join("\n")
  end

  def self.frame(title:, version:, navigation:, body:, style:, script:, search: true)
    <<~HTML
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>#{title}</title>
      #{style}
      #{script}
      </head>
      <body>
      <a class="skip" href="#content">Skip to the text</a>
      <header>
      <button id="menu" aria-expanded="false" aria-controls="nav">Contents</button>
      <a class="brand" href="#{one_file ? '#' : ''}#{one_file ? 'index' : 'index.html'}">registry_io <span>#{version}</span></a>
      #{'<form action="search.html" role="search"><input type="search" name="q" placeholder="Search" aria-label="Search the manual"></form>' if search}
      <button id="scheme" aria-label="Switch between light and dark">&#9681;</button>
      </header>
      <div class="columns">
      <nav id="nav" aria-label="Contents">
      #{navigation}
      </nav>
      #{body}
      </div>
      </body>
      </html>
    HTML
  end

  def self.neighbours(pages, i)
    before = i.positive? ? pages[i - 1] : nil
    after = pages[i + 1]
    link = ->(p, rel, word) { p ? "<a rel=\"#{rel}\" href=\"#{p.stem}.html\"><span>#{word}</span>#{p.title}</a>" : '<span></span>' }
    "<nav class=\"neighbours\" aria-label=\"Previous and next page\">#{link[before, 'prev', 'Previous']}#{link[after, 'next', 'Next']}</nav>"
  end

  def self.write_site(pages, sources, out, version, lunr)
    css = '<link rel="stylesheet" href="style.css">'
    js = '<script src="site.js"></script>'
    pages.each_with_index do |page, i|
      self.current = page.stem
      body = "<main id=\"content\">\n#{page.html}\n#{neighbours pages, i}</main>\n#{toc page}"
      title = page.stem == 'index' ? 'registry_io' : "#{plain page.title} - registry_io"
      File.write "#{out}/#{page.stem}.html", frame(title: title, version: version, navigation: navigation(pages, page), body: body, style: css, script: js)
    end
    sources.each do |page|
      body = "<main id=\"content\" class=\"source\">\n#{page.html}\n</main>"
      File.write "#{out}/#{page.stem}.html", frame(title: "#{page.title} - registry_io", version: version, navigation: navigation(pages, nil), body: body, style: css, script: js)
    end
    body = '<main id="content"><h1>Search</h1><p id="found" role="status"></p><ol id="results"></ol>' \
           '<noscript><p>The search needs JavaScript.</p></noscript></main>'
    scripts = %w[lunr.js search-data.js site.js search.js].map { |s| "<script src=\"#{s}\"></script>" }.join("\n")
    File.write "#{out}/search.html", frame(title: 'Search - registry_io', version: version, navigation: navigation(pages, nil), body: body, style: css, script: scripts)
    File.write "#{out}/search-data.js", "const documents = #{JSON.generate documents(pages)};\n"
    FileUtils.cp lunr, "#{out}/lunr.js"
    %w[style.css site.js search.js].each { |f| FileUtils.cp "#{__dir__}/#{f}", out }
    FileUtils.mkdir_p "#{out}/perf"
    FileUtils.cp Dir["#{DOC}/perf/*.svg"], "#{out}/perf"
    FileUtils.cp Dir["#{DOC}/*.svg"], out
  end

  def self.write_one_file(pages, out, version)
    text = pages.map { |p| "<article>#{p.html}</article>" }.join("\n")
    html = frame(title: 'registry_io', version: version, navigation: navigation(pages, nil), search: false,
                 body: "<main id=\"content\">\n#{text}</main>",
                 style: "<style>\n#{File.read "#{__dir__}/style.css"}</style>",
                 script: "<script>\n#{File.read "#{__dir__}/site.js"}</script>")
    File.write "#{out}/registry_io.html", html
  end

  def self.run(arguments)
    version = File.read("#{ROOTS[0]}/registry_io/version.hpp")[/VERSION_STRING "([^"]+)"/, 1]
    options = { version: version, lunr: '/usr/share/javascript/lunr/lunr.min.js' }
    OptionParser.new do |o|
      o.on('--out DIR') { |v| options[:out] = File.expand_path(v) }
      o.on('--one-file') { options[:one_file] = true }
      o.on('--lunr FILE') { |v| options[:lunr] = v }
    end.parse!(arguments)
    options[:out] or abort 'build.rb: --out needs a directory'
    Asciidoctor::LoggerManager.logger = Asciidoctor::MemoryLogger.new
    reset
    self.one_file = options[:one_file]
    FileUtils.mkdir_p options[:out]
    all = pages(options[:version], "#{options[:out]}/.doxygen")
    sources = one_file ? [] : source_pages
    check_links all + sources
    if problems.any?
      warn problems
      abort "#{problems.length} problems in the manual"
    end
    if one_file
      write_one_file all, options[:out], options[:version]
    else
      Dir["#{options[:out]}/*.html"].each { |f| File.delete f }
      write_site all, sources, options[:out], options[:version], options[:lunr]
    end
    words = all.sum { |p| plain(p.html).split.length }
    puts "#{all.length} pages, #{words} words"
  end
end

Site.run ARGV if $PROGRAM_NAME == __FILE__
