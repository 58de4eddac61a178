# Copyright 2026 the registry_io authors
# Distributed under the Boost Software License, Version 1.0.
# (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
# SPDX-License-Identifier: BSL-1.0

# The reference: a page for each public class, concept and preset, from the doc comments.
#
# doxygen reads the headers and writes XML. Every entity with a doc comment in a public namespace is
# public, so a new class gets its page automatically. doc/reference.yml adds what comments do not
# contain: an example, and facts about a class as a whole.

require 'cgi'
require 'rexml/document'
require 'yaml'

class Reference
  TOP = File.expand_path('../..', __dir__)
  NAMESPACES = %w[snapshot ordering panic alloc reclaim handlers observe queued async signals2 relay relay::nats
                  relay::jetstream].freeze
  GROUPS = {
    'presets' => 'Reference: presets', '' => 'Reference: registries',
    'snapshot' => 'Reference: snapshot policies', 'reclaim' => 'Reference: snapshot policies',
    'ordering' => 'Reference: ordering policies', 'panic' => 'Reference: panic policies',
    'observe' => 'Reference: panic policies', 'alloc' => 'Reference: alloc policies',
    'handlers' => 'Reference: handlers', 'async' => 'Reference: async', 'queued' => 'Reference: queues',
    'signals2' => 'Reference: signals2', 'relay' => 'Reference: relay',
    'relay::nats' => 'Reference: relay', 'relay::jetstream' => 'Reference: relay', 'concept' => 'Reference: for policy authors'
  }.freeze
  # The row of the table for a sentence of a comment that begins with this word.
  LABELS = {
    'Precondition' => 'Preconditions', 'Preconditions' => 'Preconditions', 'Returns' => 'Returns', 'Throws' => 'Throws',
    'Complexity' => 'Complexity', 'Concurrency' => 'Thread safety', 'Reentrancy' => 'Reentrancy',
    'Readers' => 'Readers', 'Writers' => 'Writers', 'Memory' => 'Memory', 'Use it' => 'Use it'
  }.freeze
  ROWS = ['Preconditions', 'Returns', 'Throws', 'Readers', 'Writers', 'Memory', 'Complexity', 'Thread safety',
          'Reentrancy', 'Use it'].freeze

  Item = Struct.new(:key, :name, :space, :kind, :node, :header, :extra, :aliases, :run, keyword_init: true) do
    # The name that users write comes first: `hazard_pointer`, which is a `basic_hazard_pointer`.
    def shown = name.start_with?('basic_') && aliases&.any? ? aliases[0][:name] : name
    def full = space.empty? ? name : "#{space}::#{name}"
    def title = shown == name ? full : "#{space}::#{shown}, #{name}"
    def stem = "ref-#{key.gsub('::', '-').gsub(/[^\w.-]+/, '-')}"
  end

  attr_reader :pages

  def initialize(work)
    run_doxygen work
    @extra = YAML.safe_load(File.read("#{TOP}/doc/reference.yml")) || {}
    @documents = {}
    collect
    @pages = @items.map { |i| Site::Page.new(stem: i.stem, title: i.title, group: group(i), html: ' ',
                                              short: i.shown.gsub('_', '_<wbr>')) }
    @item_of = @items.to_h { |i| [i.stem, i] }
    unknown = @extra.keys - @items.map(&:key)
    unknown.each { |k| Site.problem "doc/reference.yml: there is no public class #{k}" }
  end

  # Defines the pages' ids, and the names that inline code may use.
  def define
    @items.each do |item|
      Site.define item.stem, item.stem, "<code>#{h item.title}</code>"
      Site.symbols[item.full] ||= item.stem
      Site.symbols[item.name] ||= item.stem
      (item.aliases || []).each do |a|
        id = "#{item.stem}.#{a[:name]}"
        Site.define id, item.stem, "<code>#{h a[:name]}</code>"
        Site.symbols["#{item.space}::#{a[:name]}"] ||= id
        Site.symbols[a[:name]] ||= id
      end
      members(item.node).each { |name, _| Site.define "#{item.stem}.#{anchor name}", item.stem, "<code>#{h name}</code>" }
    end
    # Names of the registry's own members always refer to the registry.
    main = @items.find { |i| i.key == 'basic_registry' } or return
    members(main.node).each { |name, _| Site.symbols[name] ||= "#{main.stem}.#{anchor name}" }
  end

  def link(page) = page_of(@item_of[page.stem])

  private

  def h(text) = CGI.escapeHTML(text.to_s)

  def anchor(name) = name.sub(/\Aoperator\b/, 'operator').gsub(/[^\w]+/) { |s| s.each_byte.map { |b| format('-%02x', b) }.join }

  # Both headers specialise basic_registry, which doxygen treats as one class: each needs its own
  # run.
  def run_doxygen(work)
    @xml = ["#{work}/hosted", "#{work}/linked"]
    doxygen @xml[0], 'EXCLUDE_PATTERNS += */linked_registry.hpp'
    doxygen @xml[1], 'INPUT = include/registry_io/linked_registry.hpp'
  end

  def doxygen(work, more)
    FileUtils.rm_rf work
    FileUtils.mkdir_p work
    File.write "#{work}/Doxyfile", <<~TEXT
      @INCLUDE = doc/Doxyfile.lint
      EXCLUDE_PATTERNS = */detail/* */garbage.hpp */reclaim/[a-np-z]*.hpp
      #{more}
      OUTPUT_DIRECTORY = #{work}
      WARNINGS = NO
      WARN_LOGFILE = #{work}/doxygen.log
    TEXT
    system('doxygen', "#{work}/Doxyfile", chdir: TOP, out: "#{work}/out", err: %i[child out]) or
      raise "doxygen failed, see #{work}/out"
  end

  def document(refid)
    @documents[[@run, refid]] ||= REXML::Document.new(File.read("#{@run}/xml/#{refid}.xml")).root.elements['compounddef']
  end

  def documented?(node)
    !text_of(node.elements['briefdescription']).empty? || !text_of(node.elements['detaileddescription']).empty?
  end

  def text_of(node) = node ? REXML::XPath.match(node, './/text()').map(&:value).join.gsub(/\s+/, ' ').strip : ''

  # [namespace, name] of a public class; nil if it is nested or not public.
  def place(full)
    name = full.sub(/\Aregistry_io::(v1::)?/, '')
    nil while name.gsub!(/\s*<[^<>]*>/, '')
    space = NAMESPACES.select { |n| name.start_with?("#{n}::") }.max_by(&:size) || name[/\A\w+(?=::)/] || ''
    rest = space.empty? ? name : name.delete_prefix("#{space}::")
    return nil if rest.include?('::') || !(space.empty? || NAMESPACES.include?(space))
    [space, rest]
  end

  def header_of(node) = node.elements['location'].attributes['file'].sub(%r{\A.*?(?=registry_io(/|\.hpp))}, '')

  def collect
    items = @xml.flat_map do |run|
      @run = run
      REXML::Document.new(File.read("#{run}/xml/index.xml")).root.get_elements('compound').then { |c| items_of(c, run == @xml[0]) }
    end
    items.each { |i| i.extra = @extra[i.key] || {} }
    @items = items.sort_by { |i| [GROUPS.values.index(group(i)), i.kind == 'function' ? 1 : 0, rank(i), i.title] }
  end

  def items_of(compounds, with_aliases)
    items = []
    compounds.select { |c| %w[class struct concept].include? c.attributes['kind'] }.each do |c|
      where = place(c.elements['name'].text) or next
      node = document(c.attributes['refid'])
      next unless documented? node
      header = header_of(node)
      next if header.include?('/detail/') || (where[0] == 'reclaim' && !header.end_with?('option.hpp'))
      key = [*where.reject(&:empty?)].join('::')
      key += '.linked' if header.end_with?('linked_registry.hpp') && where[1] == 'basic_registry'
      kind = c.attributes['kind']
      items << Item.new(key: key, name: where[1] + (key.end_with?('.linked') ? ' (firmware)' : ''), space: where[0],
                        kind: kind, node: node, header: header, run: @run)
    end
    items.uniq!(&:key)
    collect_aliases compounds, items if with_aliases
    items.uniq(&:key) # an inline namespace is listed twice
  end

  # Aliases: presets have their own pages; `rcu` is on the page of `basic_rcu`. The functions and
  # constants of a namespace share one page.
  def collect_aliases(compounds, items)
    compounds.select { |c| c.attributes['kind'] == 'namespace' }.each do |c|
      name = c.elements['name'].text
      space = name.sub(/\Aregistry_io(::v1)?(::)?/, '')
      next unless name.start_with?('registry_io') && (space.empty? || NAMESPACES.include?(space))
      loose = []
      REXML::XPath.each(document(c.attributes['refid']), 'sectiondef/memberdef') do |m|
        header = header_of(m)
        next if !documented?(m) || header.include?('/detail/') || (space == 'reclaim' && !header.end_with?('option.hpp'))
        member = m.elements['name'].text
        if m.attributes['kind'] == 'typedef'
          if header.include?('/presets/')
            items << Item.new(key: member, name: member, space: space, kind: 'preset', node: m, header: header, run: @run)
          elsif (base = items.find { |i| i.space == space && text_of(m.elements['type']).match?(/\b#{Regexp.escape i.name}\b/) })
            base.aliases ||= []
            base.aliases << { name: member, node: m } unless base.aliases.any? { |a| a[:name] == member }
          end
        elsif %w[function variable enum].include? m.attributes['kind']
          loose << m
        end
      end
      next if loose.empty?
      node = REXML::Element.new('compounddef')
      section = node.add_element('sectiondef', 'kind' => 'public-func')
      loose.each { |m| section.add_element m.deep_clone }
      items << Item.new(key: "#{space.empty? ? 'registry_io' : space}.functions",
                        name: 'functions and constants', space: space, kind: 'function', node: node, header: nil, run: @run)
    end
  end

  def rank(item) = item.extra['rank'] || 100

  def group(item)
    return GROUPS['presets'] if item.kind == 'preset'
    return GROUPS['concept'] if item.space.empty? && (item.extra || {})['author'] ||
                                (item.kind == 'concept' && item.header.end_with?('policy.hpp'))
    GROUPS.fetch(item.space)
  end

  # The public documented members by name, in the order of the header: `{name => [memberdef]}`.
  def members(node)
    found = {}
    REXML::XPath.each(node, 'sectiondef/memberdef') do |m|
      next unless %w[function typedef variable enum].include?(m.attributes['kind']) && (m.attributes['prot'] || 'public') == 'public'
      next unless documented? m
      (found[m.elements['name'].text] ||= []) << m
    end
    found
  end

  # ----- text

  def inline(node)
    node.children.map do |c|
      case c
      when REXML::Text then h(c.value)
      when REXML::Element
        case c.name
        when 'computeroutput' then code(text_raw(c))
        when 'ref' then inline(c)
        when 'emphasis' then "<em>#{inline c}</em>"
        when 'bold' then "<strong>#{inline c}</strong>"
        when 'sp' then ' '
        when 'linebreak' then '<br>'
        else inline c
        end
      else ''
      end
    end.join
  end

  def text_raw(node) = REXML::XPath.match(node, './/text()').map(&:value).join

  def code(text)
    html = "<code>#{h text}</code>"
    id = Site.symbol(h(text))
    id && Site.targets.key?(id) && Site.targets[id][0] != Site.current ? "<a class=\"ref\" href=\"#{Site.url id}\">#{html}</a>" : html
  end

  # The paragraphs and lists of a description, as HTML.
  def blocks(node)
    return [] unless node
    node.get_elements('para').flat_map do |para|
      result = []
      run = +''
      flush = -> { result << run.strip unless run.strip.empty?; run = +'' }
      para.children.each do |c|
        if c.is_a?(REXML::Element) && %w[itemizedlist orderedlist].include?(c.name)
          flush.call
          items = c.get_elements('listitem').map { |i| "<li>#{i.get_elements('para').map { |p| inline p }.join('<br>')}</li>" }
          result << "<ul>#{items.join}</ul>"
        elsif c.is_a?(REXML::Element) && c.name == 'programlisting'
          flush.call
          text = c.get_elements('codeline').map { |l| REXML::XPath.match(l, './/text()|.//sp').map { |t| t.is_a?(REXML::Element) ? ' ' : t.value }.join }.join("\n")
          result << listing(text)
        elsif c.is_a?(REXML::Text) then run << h(c.value)
        elsif c.is_a?(REXML::Element)
          holder = REXML::Element.new('x')
          holder.add c.deep_clone
          run << inline(holder)
        end
      end
      flush.call
      result
    end
  end

  # Splits a comment into prose and the rows of its table.
  def described(node)
    all = blocks(node.elements['briefdescription']) + blocks(node.elements['detaileddescription'])
    prose, rows = [], Hash.new { |hash, k| hash[k] = [] }
    # All words but two need a colon: "Returns its id", but "Readers: lock-free".
    words = LABELS.keys.map { |w| %w[Returns Throws].include?(w) ? w : "#{w}(?=:| and reentrancy:)" }.join('|')
    all.each do |html|
      next prose << html if html.start_with?('<ul', '<pre')
      parts = html.split(/(?:\A|(?<=[.!?;]\s))(?=(?:#{words})\b)/)
      parts.each do |part|
        if part =~ /\A(#{words})\b(?: and reentrancy)?:?\s*(.*)\z/m && !$2.empty?
          rows[LABELS[$1]] << upcase($2.strip)
        elsif !part.strip.empty?
          prose << part.strip
        end
      end
    end
    [prose, rows]
  end

  def upcase(html) = html.sub(/\A[a-z]/, &:upcase)

  def paragraphs(prose) = prose.map { |p| p.start_with?('<ul', '<pre') ? p : "<p>#{p}</p>" }.join("\n")

  def facts(rows)
    list = ROWS.select { |r| rows.key? r }
    return '' if list.empty?
    cells = list.map { |r| "<tr><th scope=\"row\">#{r}</th><td>#{rows[r].join(' ')}</td></tr>" }
    "<table class=\"facts\">#{cells.join}</table>"
  end

  def listing(text)
    @formatter ||= Rouge::Formatters::HTML.new
    text.each_line { |l| Site.problem "#{Site.current}: a line of code has more than #{Site::COLUMNS} columns: #{l.strip[0, 60]}" if l.chomp.length > Site::COLUMNS }
    "<pre class=\"rouge\" tabindex=\"0\"><code>#{@formatter.format(Rouge::Lexers::Cpp.new.lex(text))}</code></pre>"
  end

  # ----- declarations

  def clean(text)
    text.gsub(/\b(BOOST_\w+|REGISTRY_IO_(EXPORT|DETAIL_\w+|NO_\w+))\b(\([^)]*\))?/, ' ')
        .gsub(/registry_io::(v1::)?/, '').gsub(/\s+([,)>&*])/, '\1').gsub(/\s+/, ' ').gsub(/< /, '<').gsub(/ >/, '>')
        .gsub(/([\w>])([&*]+) ?(?=\w)/, '\1\2 ').strip
  end

  def template_of(node)
    list = node.elements['templateparamlist'] or return ''
    parameters = list.get_elements('param').map do |p|
      text = clean(text_of(p.elements['type']))
      name = text_of(p.elements['declname'])
      value = clean(text_of(p.elements['defval']))
      "#{text}#{" #{name}" unless name.empty? || text.end_with?(" #{name}")}#{" = #{value}" unless value.empty?}"
    end
    "template <#{parameters.join(', ')}>"
  end

  def declaration(m, short: false)
    name = m.elements['name'].text
    type = clean(text_of(m.elements['type']))
    head = template_of(m)
    body =
      case m.attributes['kind']
      when 'typedef'
        if head.empty? && m.elements['definition'].text !~ /\Ausing/
          clean(m.elements['definition'].text) + ';'
        else
          # Leaves out the helper concepts.
          "using #{name} = #{type.include?('detail::') ? '/* see below */' : type};"
        end
      when 'variable'
        value = clean(text_of(m.elements['initializer']))
        "#{type} #{name}#{" #{value}" unless value.empty? || value.length > 60};".sub(/\A(?!static)/, m.attributes['static'] == 'yes' ? 'static ' : '')
      when 'enum'
        "enum class #{name} { #{m.get_elements('enumvalue/name').map(&:text).join(', ')} };"
      else
        prefix = %w[explicit static].select { |a| m.attributes[a] == 'yes' && type !~ /\b#{a}\b/ }.join(' ')
        arguments = clean(text_of(m.elements['argsstring'])).sub(/\s*=\s*(default|delete)\z/, '')
        [prefix, type, "#{name}#{arguments};"].reject(&:empty?).join(' ').sub(/\Afriend friend/, 'friend')
      end
    text = wrap(body)
    head.empty? ? text : "#{wrap head}\n#{text}"
  end

  # Breaks a declaration after commas, so that it fits into the column.
  def wrap(text, width = 92)
    return text if text.length <= width
    lines = ['']
    text.split(/(?<=,)\s+|(?<=\s=)\s+/).each do |part|
      if lines[-1].empty? then lines[-1] = part
      elsif lines[-1].length + 1 + part.length <= width then lines[-1] += " #{part}"
      else lines << "    #{part}"
      end
    end
    lines.join("\n")
  end

  def synopsis(item)
    include_line = item.header ? "#include <#{item.header}>\n\n" : ''
    if item.kind == 'concept'
      initializer = clean(item.node.elements['initializer'] ? text_raw(item.node.elements['initializer']) : '')
      return include_line + source_of(item) if initializer.empty? || initializer.length > 80
      return include_line + initializer
    end
    space = "namespace registry_io#{"::#{item.space}" unless item.space.empty?} {\n\n"
    return include_line + space + preset(item) + "\n\n}" if item.kind == 'preset'
    listed = members(item.node).values.flatten
    if item.kind == 'function'
      text = listed.map { |m| declaration m }
      return space + text.join("\n") + "\n\n}"
    end
    head = template_of(item.node)
    name = item.name.sub(' (firmware)', '')
    sections = [['typedef'], ['function'], ['variable', 'enum']].map { |kinds| listed.select { |m| kinds.include? m.attributes['kind'] } }
    body = sections.reject(&:empty?).map { |s| s.map { |m| declaration(m).gsub(/^/, '    ') }.join("\n") }.join("\n\n")
    aliases = (item.aliases || []).map { |a| declaration a[:node] }
    text = include_line + space
    text += "#{wrap head}\n" unless head.empty?
    text += body.empty? ? "#{item.kind} #{name};\n" : "#{item.kind} #{name}\n{\npublic:\n#{body}\n};\n"
    text += "\n#{aliases.join("\n")}\n" if aliases.any?
    text + "\n}"
  end

  def preset(item) = source_of(item)

  # Uses the lines of the header where they are clearer.
  def source_of(item)
    location = item.node.elements['location']
    file = ["#{TOP}/include", "#{TOP}/policies/include"].map { |d| "#{d}/#{header_of(item.node)}" }.find { |f| File.exist? f }
    lines = File.readlines(file, chomp: true)
    first = location.attributes['line'].to_i - 1
    first -= 1 while first.positive? && lines[first - 1] !~ %r{\A\s*(///|//|\}|$)}
    last = first
    last += 1 while last < lines.length - 1 && lines[last] !~ /;\s*\z/ || lines[first..last].join.count('{') > lines[first..last].join.count('}')
    lines[first..last].join("\n").gsub(/ REGISTRY_IO_DETAIL_MORE/, '').gsub(/REGISTRY_IO_DETAIL_ALONE\(([^)]*)\)/, '\1').gsub(/REGISTRY_IO_EXPORT ?/, '')
  end

  # ----- pages

  def example(item)
    where = item.extra['example'] or return ''
    file, tag = where.split
    lines = File.readlines("#{TOP}/doc/example/#{file}", chomp: true)
    if tag
      first = lines.index { |l| l.include? "tag::#{tag}[]" }
      last = lines.index { |l| l.include? "end::#{tag}[]" }
      return Site.problem("doc/reference.yml: #{file} has no tag #{tag}") || '' unless first && last
      lines = lines[first + 1...last]
    else
      lines = lines.drop_while { |l| l.start_with?('//') }.drop_while(&:empty?)
    end
    indent = lines.reject(&:empty?).map { |l| l[/\A */].length }.min || 0
    lines = lines.reject { |l| l =~ %r{// (tag|end)::} }.map { |l| l.empty? ? l : l[indent..] }
    "#{heading 2, "#{item.stem}.example", 'Example'}#{listing lines.join("\n")}" \
      "<p>From <code>doc/example/#{file}</code>, which the tests run.</p>"
  end

  def heading(level, id, title)
    "<h#{level} id=\"#{id}\">#{title}<a class=\"anchor\" href=\"##{id}\" aria-label=\"Link to this section\">#</a></h#{level}>\n"
  end

  def member_html(item, name, list)
    text = heading(3, "#{item.stem}.#{anchor name}", "<code>#{h name}</code>")
    list.each do |m|
      prose, rows = described(m)
      values = m.get_elements('enumvalue')
      text << "<div class=\"member\">#{listing declaration(m)}#{paragraphs prose}#{facts rows}</div>\n" if values
    end
    text
  end

  def page_of(item)
    prose, rows = described(item.node)
    (item.extra['facts'] || {}).each { |k, v| rows[k] << upcase(Asciidoctor.convert(v, doctype: 'inline', attributes: Site::ATTRIBUTES)) unless rows.key?(k) }
    lead = prose.shift
    text = +"<h1 id=\"#{item.stem}\">#{h item.title}</h1>\n"
    text << "<p class=\"lead\">#{lead}</p>\n" if lead
    text << "<p>#{h item.extra['lead']}</p>" if item.extra['lead']
    text << heading(2, "#{item.stem}.synopsis", 'Synopsis') << listing(synopsis(item))
    unless prose.empty? && rows.empty?
      text << heading(2, "#{item.stem}.contract", 'Contract') << paragraphs(prose) << facts(rows)
    end
    text << example(item)
    if item.aliases
      text << heading(2, "#{item.stem}.aliases", 'Names')
      item.aliases.each do |a|
        p, r = described(a[:node])
        text << heading(3, "#{item.stem}.#{a[:name]}", "<code>#{h a[:name]}</code>") << "<div class=\"member\">#{listing declaration(a[:node])}#{paragraphs p}#{facts r}</div>"
      end
    end
    groups = members(item.node)
    unless groups.empty?
      text << heading(2, "#{item.stem}.members", item.kind == 'function' ? 'Functions and constants' : 'Members')
      groups.each { |name, list| text << member_html(item, name, list) }
    end
    text << nested(item) << see_also(item)
    text
  end

  # The documented public classes inside a class, such as a registry's transaction.
  def nested(item)
    return '' if %w[snapshot ordering panic alloc reclaim].include?(item.space)
    @run = item.run
    item.node.get_elements('innerclass').select { |c| c.attributes['prot'] == 'public' }.map do |c|
      node = document(c.attributes['refid'])
      next '' unless documented? node
      name = node.elements['compoundname'].text.split('::').last
      prose, rows = described(node)
      text = heading(2, "#{item.stem}.#{name}", "<code>#{h name}</code>") + paragraphs(prose) + facts(rows)
      members(node).each do |m, list|
        text << "<h4><code>#{h name}::#{h m}</code></h4>\n"
        list.each { |d| p, r = described(d); text << "<div class=\"member\">#{listing declaration(d)}#{paragraphs p}#{facts r}</div>\n" }
      end
      text
    end.join
  end

  def see_also(item)
    ids = Array(item.extra['see'])
    return '' if ids.empty?
    links = ids.map do |id|
      next Site.problem("doc/reference.yml: #{item.key}: nothing has the id '#{id}'") || '' unless Site.targets.key? id
      "<li><a href=\"#{Site.url id}\">#{Site.targets[id][1]}</a></li>"
    end
    "#{heading 2, "#{item.stem}.see", 'See also'}<ul>#{links.join}</ul>"
  end
end
